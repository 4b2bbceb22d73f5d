import type { LambdaClient } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { inspectInvocation, memoryLog, type InvocationLog } from 'rx-lambda-stream/log';
import { createRelay, RelayRefusal, type Relay } from 'rx-lambda-stream/relay';
import type { ChatPayload } from './lambda-chat-transport.js';

/**
 * The server between `LambdaChatTransport` and the function.
 *
 * @param log - `redisLog(…)` where there are several machines.
 * @param answers - The last answer of each chat. In an application, a column of the chat's row.
 */
export function createChatRelay(
  client: LambdaClient,
  log: InvocationLog = memoryLog(),
  answers = new Map<string, string>(),
): Relay {
  return createRelay({
    log,
    async authorize({ request, payload }) {
      // Here an application asks whether this user may read this chat.
      const { chatId, requestId, messages } = JSON.parse(new TextDecoder().decode(payload)) as ChatPayload;
      const comesBack = request.headers.has('last-event-id');
      if (messages && requestId !== undefined) {
        if (!comesBack) answers.set(chatId, requestId);
        const input = { FunctionName: 'chat', Payload: { body: JSON.stringify({ messages }) } };
        return {
          key: `${chatId}/${requestId}`,
          open: (pauseWhile) => invokeWithResponseStream(client, input, { pauseWhile }),
        };
      }
      const key = `${chatId}/${answers.get(chatId)}`;
      const found = await inspectInvocation(log, key);
      // A client that comes back, or stops the answer, may find that it has ended.
      if (found?.state !== 'running' && !comesBack && request.method !== 'DELETE') {
        throw new RelayRefusal(404, 'No answer is being written');
      }
      return { key };
    },
  });
}
