// A chat of the AI SDK as a Lambda function, with a model that needs no network.
import { convertToModelMessages, createUIMessageStreamResponse, simulateReadableStream, streamText } from 'ai';
import { toUIMessageStream } from 'ai';
import { MockLanguageModelV4 } from 'ai/test';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const model = new MockLanguageModelV4({
  doStream: async ({ prompt }) => {
    const asked = prompt.at(-1).content.map(({ text }) => text);
    const words = `You said: ${asked.join('')}`.split(/(?<= )/);
    const usage = {
      inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: words.length, text: words.length, reasoning: 0 },
    };
    return {
      stream: simulateReadableStream({
        initialDelayInMs: 20,
        chunkDelayInMs: 20,
        chunks: [
          { type: 'stream-start', warnings: [] },
          { type: 'text-start', id: '1' },
          ...words.map((delta) => ({ type: 'text-delta', id: '1', delta })),
          { type: 'text-end', id: '1' },
          { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage },
        ],
      }),
    };
  },
});

// The event of a function URL, or the same with nothing but a body.
export const handler = awslambda.streamifyResponse(async (event, responseStream) => {
  const { messages } = JSON.parse(event.body);
  const result = streamText({ model, messages: await convertToModelMessages(messages) });
  const response = createUIMessageStreamResponse({ stream: toUIMessageStream({ stream: result.stream }) });
  const http = awslambda.HttpResponseStream.from(responseStream, {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
  });
  await pipeline(Readable.fromWeb(response.body), http);
});
