// The Vercel AI SDK, with a model that needs no network.
import { convertToModelMessages, simulateReadableStream, streamText } from 'ai';
import { MockLanguageModelV3 } from 'ai/test';

const model = new MockLanguageModelV3({
  doStream: async ({ prompt }) => {
    const asked = prompt
      .at(-1)
      .content.map(({ text }) => text)
      .join('');
    const deltas = ['You ', 'said: ', asked].map((delta) => ({ type: 'text-delta', id: '1', delta }));
    const usage = {
      inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: 3, text: 3, reasoning: 0 },
    };
    return {
      stream: simulateReadableStream({
        chunkDelayInMs: 5,
        chunks: [
          { type: 'stream-start', warnings: [] },
          { type: 'text-start', id: '1' },
          ...deltas,
          { type: 'text-end', id: '1' },
          { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage },
        ],
      }),
    };
  },
});

export const handler = awslambda.streamifyResponse(async (event, responseStream) => {
  const { messages } = JSON.parse(event.body);
  const result = streamText({ model, messages: await convertToModelMessages(messages) });
  const response = result.toUIMessageStreamResponse();
  const http = awslambda.HttpResponseStream.from(responseStream, {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
  });
  for await (const part of response.body) http.write(part);
  http.end();
});
