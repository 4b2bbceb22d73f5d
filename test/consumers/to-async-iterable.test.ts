import { Observable, of, range, Subject } from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { toAsyncIterable } from '../../src/consumers/to-async-iterable.js';
import { marksOf, playInTurns } from '../support/frames-in-turns.js';

const states = { f: false, t: true };

describe('toAsyncIterable', () => {
  it('reads on only while the loop waits, and hands out what one read brought one by one', async () => {
    // prettier-ignore
    {
      const source =  '--a---(bc)--|';
      const reads =   '-r----r--r-r';
      const result =  '--a---b--c--|';
      const paused =  '-ft---(ft)-f';

      const played = await playInTurns({ reads, source }, (open) => {
        const iterator = toAsyncIterable(open);
        return () => iterator.next();
      });
      expect(played.result).toEqual(marksOf(result));
      expect(played.paused).toEqual(marksOf(paused, states));
      expect(played.unsubscribed).toBe(12);
    }
  });

  it('does not pause while another next() waits', async () => {
    const played = await playInTurns({ reads: '(rr)----', source: '----a--b' }, (open) => {
      const iterator = toAsyncIterable(open);
      return () => iterator.next();
    });
    expect(played.result).toEqual(marksOf('----a--b'));
    expect(played.paused).toEqual(marksOf('f------t', states));
  });

  it('throws an error behind the values that wait, once', async () => {
    const played = await playInTurns({ reads: '-r---r-r-r', source: '--(ab#)' }, (open) => {
      const iterator = toAsyncIterable(open);
      return () => iterator.next();
    });
    expect(played.result).toEqual(marksOf('--a--b-#-|'));
  });

  it('closes at once when it is left while a next() waits, which a generator could not', async () => {
    const source = new Subject<number>();
    const iterator = toAsyncIterable(() => source);
    const waiting = iterator.next();
    expect(source.observed).toBe(true);
    expect(await iterator.return?.()).toEqual({ value: undefined, done: true });
    expect(source.observed).toBe(false);
    expect(await waiting).toEqual({ value: undefined, done: true });
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
  });

  it('hands out nothing that waited once it was left', async () => {
    const iterator = toAsyncIterable(() => of(1, 2, 3));
    expect(await iterator.next()).toEqual({ value: 1, done: false });
    await iterator.return?.();
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
  });

  it('passes an error that is thrown into it back, and closes', async () => {
    const source = new Subject<number>();
    const iterator = toAsyncIterable(() => source);
    void iterator.next();
    const thrown = new Error('mine');
    await expect(iterator.throw?.(thrown)).rejects.toBe(thrown);
    expect(source.observed).toBe(false);
  });

  it('never subscribes where it is left before the first next()', async () => {
    let opened = 0;
    const iterator = toAsyncIterable(() => {
      opened++;
      return of(1);
    });
    await iterator.return?.();
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
    expect(opened).toBe(0);
  });

  it('gets through a long burst in linear time', async () => {
    let sum = 0;
    for await (const value of toAsyncIterable(() => range(0, 200_000))) sum += value;
    expect(sum).toBe((199_999 * 200_000) / 2);
  });

  it('fails with what open throws, and where open returns no Observable', async () => {
    const thrown = new Error('no client');
    const failing = toAsyncIterable(() => {
      throw thrown;
    });
    await expect(failing.next()).rejects.toBe(thrown);
    const wrong = toAsyncIterable(() => 5 as unknown as Observable<number>);
    await expect(wrong.next()).rejects.toEqual(
      new TypeError('toAsyncIterable: what open returns must be an Observable, not 5'),
    );
  });

  it('refuses an Observable in place of the function that makes it, at the call', () => {
    expect(() => toAsyncIterable(of(1) as unknown as () => Observable<number>)).toThrow(
      new TypeError('toAsyncIterable: open must be a function, not an Observable'),
    );
  });

  it('is typed by what the Observable emits', () => {
    expectTypeOf(toAsyncIterable(() => of('text'))).toExtend<AsyncIterableIterator<string>>();
  });
});
