import { concat, filter, map, NEVER, Observable, of, Subject } from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { toReadableStream } from '../../src/consumers/to-readable-stream.js';
import { chunkEvent, headEvent } from '../../src/testing/event-builders.js';
import { marksOf, playInTurns } from '../support/frames-in-turns.js';

const states = { f: false, t: true };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('toReadableStream', () => {
  it('reads on only while a reader waits, and hands out what one read brought one by one', async () => {
    // prettier-ignore
    {
      const source =  '--a---(bc)--|';
      const reads =   '-r----r--r-r';
      const result =  '--a---b--c--|';
      const paused =  '-ft---(ft)-f';

      const played = await playInTurns({ reads, source }, (open) => {
        const reader = toReadableStream(open).getReader();
        return () => reader.read() as Promise<IteratorResult<string>>;
      });
      expect(played.result).toEqual(marksOf(result));
      expect(played.paused).toEqual(marksOf(paused, states));
      expect(played.unsubscribed).toBe(12);
    }
  });

  it('goes on reading for the second of two readers that wait', async () => {
    const played = await playInTurns({ reads: '(rr)----', source: '----a--b' }, (open) => {
      const reader = toReadableStream(open).getReader();
      return () => reader.read() as Promise<IteratorResult<string>>;
    });
    expect(played.result).toEqual(marksOf('----a--b'));
    const lastBefore = (frame: number): unknown => played.paused.filter(([at]) => at < frame).at(-1)?.[1];
    expect(lastBefore(7)).toBe(false);
  });

  it('errors behind the values that wait, and at once where no value waits', async () => {
    const connect = (open: Parameters<typeof toReadableStream<string>>[0]) => {
      const reader = toReadableStream(open).getReader();
      return () => reader.read() as Promise<IteratorResult<string>>;
    };
    const waiting = await playInTurns({ reads: '-r---r-r', source: '--(ab#)' }, connect);
    expect(waiting.result).toEqual(marksOf('--a--b-#'));
    const idle = await playInTurns({ reads: '-r--r', source: '--a#' }, connect);
    expect(idle.result).toEqual(marksOf('--a-#'));
  });

  it('says that it is closed as soon as the source is complete and nothing waits', async () => {
    const source = new Subject<number>();
    const reader = toReadableStream(() => source).getReader();
    const first = reader.read();
    await turn();
    source.next(1);
    await first;
    source.complete();
    await reader.closed;
    expect(source.observed).toBe(false);
  });

  it('unsubscribes when it is cancelled while a reader waits', async () => {
    let unsubscribed = false;
    const reader = toReadableStream(() => new Observable<never>(() => () => (unsubscribed = true))).getReader();
    const waiting = reader.read();
    await turn();
    await reader.cancel();
    expect((await waiting).done).toBe(true);
    expect(unsubscribed).toBe(true);
  });

  it('never subscribes where it is never read', async () => {
    let opened = 0;
    const stream = toReadableStream(() => {
      opened++;
      return NEVER;
    });
    await turn();
    await stream.cancel();
    expect(opened).toBe(0);
  });

  it('fails with what open throws, and where open returns no Observable', async () => {
    const thrown = new Error('no client');
    const failing = toReadableStream(() => {
      throw thrown;
    });
    await expect(failing.getReader().read()).rejects.toBe(thrown);
    const wrong = toReadableStream(() => Promise.resolve(1) as unknown as Observable<number>);
    await expect(wrong.getReader().read()).rejects.toEqual(
      new TypeError('toReadableStream: what open returns must be an Observable, not a promise'),
    );
  });

  it('refuses an Observable in place of the function that makes it, at the call', () => {
    expect(() => toReadableStream(of(1) as unknown as () => Observable<number>)).toThrow(
      new TypeError('toReadableStream: open must be a function, not an Observable'),
    );
  });

  it('is typed by what the Observable emits, and serves as the body of a Response', async () => {
    const body = toReadableStream(() =>
      concat(of(headEvent()), of(chunkEvent('Zoë '), chunkEvent('€'))).pipe(
        filter((event) => event.type === 'chunk'),
        map((event) => event.payload),
      ),
    );
    expectTypeOf(body).toEqualTypeOf<ReadableStream<Uint8Array>>();
    expect(await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text()).toBe('Zoë €');
  });
});
