import { LambdaClient } from '@aws-sdk/client-lambda';
import { expect, it } from '@jest/globals';
import { startLocalLambda } from 'rx-lambda-stream/local';
import { lastValueFrom } from 'rxjs';
import { answer } from './answer.js';

it('reads what a real endpoint writes', async () => {
  const local = await startLocalLambda({
    functions: {
      chat: async function* ({ prompt }: { prompt: string }) {
        yield 'You said ';
        yield prompt;
      },
    },
  });
  const client = new LambdaClient(local.clientConfig);
  expect(await lastValueFrom(answer(client, 'Hi'))).toBe('You said Hi');
  client.destroy();
  await local.close();
});
