import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { countDown } from './count-down';

describe('countDown', () => {
  it.each([
    [2_500, '3 999ms 2 999ms (1|)'],
    [1_000, '(1|)'],
    [0, '(0|)'],
  ])('counts %i ms in whole seconds', (delayMs, expected) =>
    new TestScheduler((actual, wanted) => expect(actual).toEqual(wanted)).run(({ expectObservable }) =>
      expectObservable(countDown(delayMs)).toBe(expected, { 0: 0, 1: 1, 2: 2, 3: 3 }),
    ),
  );
});
