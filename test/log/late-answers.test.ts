import { concat, finalize, lastValueFrom, map, mergeMap, of, take, timer, toArray, type Observable } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { decodeText } from '../../src/index.js';
import type { LambdaStreamEvent } from '../../src/index.js';
import { joinInvocation, memoryLog } from '../../src/log/index.js';
import { chunkEvent, completeEvent, headEvent } from '../../src/testing/index.js';
import { inFakeTime } from './fake-time.js';
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

describe('a consumer that leaves before its claim is answered', () => {
  const leaseMs = 10_000;
  const lingerMs = 1_000;

  /** A response of 3 s, and how often it was opened and closed. */
  function response(): { readonly open: () => Observable<LambdaStreamEvent>; opened: number; closed: number } {
    const source = {
      opened: 0,
      closed: 0,
      open: () => {
        source.opened++;
        const bytes = timer(3_000).pipe(map(() => chunkEvent('whole')));
        return concat(of(headEvent()), bytes, of(completeEvent())).pipe(finalize(() => source.closed++));
      },
    };
    return source;
  }

  function textOf(stream: Observable<LambdaStreamEvent>): { text: string; end: unknown } {
    const seen = { text: '', end: undefined as unknown };
    stream.pipe(decodeText()).subscribe({
      next: (text) => (seen.text += text),
      error: (error: unknown) => (seen.end = error),
      complete: () => (seen.end = 'complete'),
    });
    return seen;
  }

  test.each(['in the same process', 'in another process'])('leaves no dead key for the one that comes %s', (where) => {
    inFakeTime(({ advance }) => {
      const memory = memoryLog();
      const log = lateAnswers(memory, { answerMs: 10 });
      const source = response();
      joinInvocation(log, 'k', source.open, { leaseMs, lingerMs }).subscribe().unsubscribe();
      advance(5);
      const other = where === 'in the same process' ? log : lateAnswers(memory, { answerMs: 1 });
      const seen = textOf(joinInvocation(other, 'k', source.open, { leaseMs, lingerMs }));
      advance(5_000);
      expect([seen, source]).toMatchObject([
        { text: 'whole', end: 'complete' },
        { opened: 1, closed: 1 },
      ]);
    });
  });

  test('lets the invocation go after its linger', () => {
    inFakeTime(({ advance }) => {
      const log = lateAnswers(memoryLog(), { answerMs: 10 });
      const source = response();
      joinInvocation(log, 'k', source.open, { leaseMs, lingerMs }).subscribe().unsubscribe();
      advance(lingerMs);
      expect(source).toMatchObject({ opened: 1, closed: 0 });
      advance(100);
      expect(source).toMatchObject({ opened: 1, closed: 1 });
      // It was abandoned, and not lost: the next consumer invokes anew.
      const next = textOf(joinInvocation(log, 'k', source.open, { leaseMs, lingerMs }));
      advance(4_000);
      expect([next, source.opened]).toEqual([{ text: 'whole', end: 'complete' }, 2]);
    });
  });
});
