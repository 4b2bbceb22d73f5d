import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { toTable } from './to-table';

describe('toTable', () => {
  const run = (check: Parameters<TestScheduler['run']>[0]): unknown =>
    new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(check);

  it('collects at a pace, and ends with a state', () =>
    run(({ cold, expectObservable }) => {
      const source = '  -ab------c----|';
      const expected = 's---------t---(u|)';
      expectObservable(cold(source).pipe(toTable(10))).toBe(expected, {
        s: { rows: [], status: 'loading' },
        t: { rows: ['a', 'b', 'c'], status: 'loading' },
        u: { rows: ['a', 'b', 'c'], status: 'complete' },
      });
    }));

  it('keeps the rows that came right before a failure', () =>
    run(({ cold, expectObservable }) => {
      const source = '  -ab#';
      const expected = 's--(t|)';
      expectObservable(cold(source).pipe(toTable(10))).toBe(expected, {
        s: { rows: [], status: 'loading' },
        t: { rows: ['a', 'b'], status: 'failed', error: 'error' },
      });
    }));
});
