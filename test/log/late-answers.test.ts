import { concat, lastValueFrom, map, mergeMap, of, take, timer, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { decodeText } from '../../src/index.js';
import { joinInvocation, memoryLog } from '../../src/log/index.js';
import { chunkEvent, completeEvent, headEvent } from '../../src/testing/index.js';
import { lateAnswers } from './late-log.js';

test('readers who come while tokens come get each byte once, where answers take longer than tokens', async () => {
  const log = lateAnswers(memoryLog(), { answerMs: 3 });
  const tokens = Array.from({ length: 100 }, (_, index) => `${index} `);
  const open = () =>
    concat(
      of(headEvent()),
      timer(0, 1).pipe(
        take(tokens.length),
        map((index) => chunkEvent(tokens[index] as string)),
      ),
      of(completeEvent()),
    );
  const texts = await Promise.all(
    [0, 0, 10, 20, 21, 40, 60, 200].map((afterMs) =>
      lastValueFrom(
        timer(afterMs).pipe(
          mergeMap(() => joinInvocation(log, 'key', open)),
          decodeText(),
          toArray(),
        ),
      ),
    ),
  );
  expect(texts.map((parts) => parts.join(''))).toEqual(texts.map(() => tokens.join('')));
});
