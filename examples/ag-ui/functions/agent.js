// An AG-UI agent as a Lambda function, with a model that needs no network.
import { EventType } from '@ag-ui/core';
import { EventEncoder } from '@ag-ui/encoder';
import { setTimeout as think } from 'node:timers/promises';

export const handler = awslambda.streamifyResponse(async ({ threadId, runId, messages }, responseStream) => {
  const encoder = new EventEncoder();
  const send = (event) => responseStream.write(encoder.encodeSSE(event));
  const messageId = `answer-${runId}`;

  send({ type: EventType.RUN_STARTED, threadId, runId });
  send({ type: EventType.TEXT_MESSAGE_START, messageId, role: 'assistant' });
  for (const word of `You said: ${messages.at(-1)?.content}`.split(/(?<= )/)) {
    send({ type: EventType.TEXT_MESSAGE_CONTENT, messageId, delta: word });
    await think(20);
  }
  send({ type: EventType.TEXT_MESSAGE_END, messageId });
  send({ type: EventType.RUN_FINISHED, threadId, runId });
  responseStream.end();
});
