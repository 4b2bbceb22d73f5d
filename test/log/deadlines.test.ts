import { expect, test } from 'vitest';
import { createDeadlines } from '../../src/log/deadlines.js';
import { inFakeTime } from './fake-time.js';

test('a deadline that nobody calls off ends at its time, and not before', () => {
  inFakeTime(({ advance }) => {
    const ended: string[] = [];
    const deadlines = createDeadlines();
    deadlines.add(3_000, () => ended.push('first'));
    advance(1_500);
    deadlines.add(3_000, () => ended.push('second'));
    advance(1_499);
    expect(ended).toEqual([]);
    advance(1);
    expect(ended).toEqual(['first']);
    advance(1_499);
    expect(ended).toEqual(['first']);
    advance(1);
    expect(ended).toEqual(['first', 'second']);
  });
});

test('a process that was frozen for longer than the deadline hears the answer that waited meanwhile', async () => {
  const limitMs = 600;
  const end = await new Promise((resolve) => {
    const callOff = createDeadlines().add(limitMs, () => resolve('unanswered'));
    setImmediate(() => {
      // As answers in a socket do, this comes after the timers that are due.
      setImmediate(() => {
        callOff();
        resolve('answered');
      });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * limitMs);
    });
  });
  expect(end).toBe('answered');
});
