// @vitest-environment jsdom
/** docs/testing.md: jsdom needs no more than vitest's own environment. */
import { lastValueFrom } from 'rxjs';
import { expect, test } from 'vitest';
import { answer } from '../../examples/testing/answer.js';
import { startLive } from '../support/live.js';

test('a real client works under vitest’s jsdom as it is', async () => {
  const { client } = await startLive({
    chat: async function* ({ prompt }: { prompt: string }) {
      yield 'You said ';
      yield await Promise.resolve(prompt);
    },
  });
  expect(typeof document).toBe('object');
  expect(await lastValueFrom(answer(client, 'Hi'))).toBe('You said Hi');
});
