// Streams an answer word by word, as a model would.
import { setTimeout as delay } from 'node:timers/promises';

export const handler = awslambda.streamifyResponse(async (event, responseStream, context) => {
  responseStream.setContentType('text/plain; charset=utf-8');
  console.log('prompt of %d characters', String(event.prompt ?? '').length);
  for (const word of ['You', 'said:', event.prompt ?? 'nothing', '✓']) {
    responseStream.write(`${word} `);
    await delay(event.delayMs ?? 5);
  }
  responseStream.write(`(${context.functionName} ${context.functionVersion})\n`);
  responseStream.end();
});
