// Streams records as NDJSON from a source of its own, through a pipeline: backpressure comes for free.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

async function* records(count) {
  for (let id = 1; id <= count; id++) yield `${JSON.stringify({ id, name: `record ${id}` })}\n`;
}

export const handler = awslambda.streamifyResponse(async (event, responseStream) => {
  responseStream.setContentType('application/x-ndjson');
  await pipeline(Readable.from(records(event.count ?? 3)), responseStream);
});
