import { readFileSync } from 'node:fs';
import {
  retryInvocation,
  toSnapshots,
  type LambdaStreamClient,
  type LambdaStreamEvent,
  type Snapshot,
} from 'rx-lambda-stream';
import { chunkEvent, completeEvent, fakeInvoke, headEvent, serviceException } from 'rx-lambda-stream/testing';
import { of } from 'rxjs';
import { expect, test } from 'vitest';
import { retryLine } from '../../examples/user-interfaces/countdown.js';
import { marbles } from '../support/marbles.js';

/** What docs/user-interfaces.md gives to `useState<Snapshot>`. */
const connecting: Snapshot = { status: 'connecting', text: '', bytes: 0, chunks: 0 };

test('the first snapshot is the one that the page gives to `useState<Snapshot>`', () => {
  expect(readFileSync('docs/user-interfaces.md', 'utf8')).toContain(
    "`useState<Snapshot>({ status: 'connecting', text: '', bytes: 0, chunks: 0 })`",
  );
  const seen: Snapshot[] = [];
  of(headEvent())
    .pipe(toSnapshots())
    .subscribe((snapshot) => seen.push(snapshot));
  expect(seen[0]).toEqual(connecting);
});

test(
  'a line counts the wait down, says that it connects, and goes when the next attempt has its head',
  marbles((m) => {
    const refused = m.cold('-#', {}, serviceException('TooManyRequestsException'));
    const answered = m.cold<LambdaStreamEvent>('150ms h 99ms (ac|)', {
      h: headEvent(),
      a: chunkEvent('one'),
      c: completeEvent(),
    });
    const invoke = fakeInvoke({ chat: ({ attempt }) => (attempt === 1 ? refused : answered) });
    const snapshots = invoke({} as LambdaStreamClient, { FunctionName: 'chat' }).pipe(
      retryInvocation({ maxAttempts: 4, initialDelayMs: 200, jitter: 'none' }),
      toSnapshots(),
    );
    m.expect(retryLine(snapshots, 4)).toBeObservable('e 15ms a 99ms b 99ms c 134ms e 99ms |', {
      e: '',
      a: 'attempt 2 of 4, again in 0.2 s',
      b: 'attempt 2 of 4, again in 0.1 s',
      c: 'attempt 2 of 4, connecting',
    });
  }),
);
