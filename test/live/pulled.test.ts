import { concat, EMPTY, filter, map, Observable, of, Subject, throwError } from 'rxjs';
import { invokeWithResponseStream, toAsyncIterable, toReadableStream } from 'rx-lambda-stream';
import { scripted, type LocalLambda } from 'rx-lambda-stream/local';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startLive } from '../support/live.js';

const input = { FunctionName: 'f' };
const mebibyte = 1024 * 1024;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Both are read by `for await`. */
const consumers = {
  toReadableStream,
  toAsyncIterable,
} as const satisfies Record<string, <T>(open: (paused: Observable<boolean>) => Observable<T>) => AsyncIterable<T>>;

async function take<T>(values: AsyncIterable<T>, count = Infinity): Promise<T[]> {
  const taken: T[] = [];
  for await (const value of values) {
    taken.push(value);
    if (taken.length === count) break;
  }
  return taken;
}

async function startEndless(): Promise<{
  local: LocalLambda;
  open: (pauseWhile: Observable<boolean>) => Observable<Uint8Array>;
}> {
  const piece = 'x'.repeat(64 * 1024);
  let over = false;
  onTestFinished(() => {
    over = true;
  });
  const { local, client } = await startLive({
    f: async function* () {
      while (!over) {
        yield piece;
        await turn();
      }
    },
  });
  const open = (pauseWhile: Observable<boolean>): Observable<Uint8Array> =>
    invokeWithResponseStream(client, input, { pauseWhile }).pipe(
      filter((event) => event.type === 'chunk'),
      map((event) => event.payload),
    );
  return { local, open };
}

describe.each(Object.keys(consumers) as (keyof typeof consumers)[])('%s', (name) => {
  const consume = consumers[name];

  test('holds the server back while the loop works, and closes the connection when it is left', async () => {
    const { local, open } = await startEndless();
    let read = 0;
    let most = 0;
    for await (const bytes of consume(open)) {
      read += bytes.length;
      // Ten turns of work, in each of which the server could write.
      for (let i = 0; i < 10; i++) await turn();
      most = Math.max(most, local.requests[0]!.bytesWritten - read);
      if (read > 30 * mebibyte) break;
    }
    // The sockets' buffers, which the kernel lets grow to several megabytes on loopback.
    expect(most).toBeLessThan(9 * mebibyte);
    expect(await local.requests[0]!.closedEarly).toBe(true);
  });

  test('gives every value in order, then ends', async () => {
    expect(await take(consume(() => of(1, 2, 3)))).toEqual([1, 2, 3]);
    expect(await take(consume(() => EMPTY))).toEqual([]);
  });

  test('throws an error after the values that came before it', async () => {
    const failure = new Error('cut');
    for (const before of [[], [1, 2]]) {
      const seen: number[] = [];
      const loop = async (): Promise<void> => {
        const source = concat(
          before,
          throwError(() => failure),
        );
        for await (const value of consume(() => source)) seen.push(value);
      };
      await expect(loop()).rejects.toBe(failure);
      expect(seen).toEqual(before);
    }
  });

  test('throws an error for which the loop is waiting already', async () => {
    const source = new Subject<number>();
    const values = take(consume(() => source));
    while (!source.observed) await turn();
    source.next(1);
    await turn();
    source.error(new Error('cut'));
    await expect(values).rejects.toThrow('cut');
  });

  test('says that a response is not complete', async () => {
    const { client } = await startLive({ f: scripted([{ chunk: 'a' }, 'end']) });
    const values = consume((pauseWhile) => invokeWithResponseStream(client, input, { pauseWhile }));
    await expect(take(values)).rejects.toMatchObject({ code: 'truncated' });
  });

  test('subscribes when the loop begins, and unsubscribes when it is left', async () => {
    let open = 0;
    const values = consume(
      () =>
        new Observable<number>((subscriber) => {
          open++;
          subscriber.next(1);
          return () => open--;
        }),
    );
    await turn();
    expect(open).toBe(0);
    for await (const value of values) {
      expect([value, open]).toEqual([1, 1]);
      break;
    }
    expect(open).toBe(0);
  });

  test('asks for a pause from a value to the next time that the loop waits', async () => {
    const states: boolean[] = [];
    const source = new Subject<number>();
    const values = consume((pauseWhile) => {
      pauseWhile.subscribe((paused) => states.push(paused));
      return source;
    });
    const seen: number[] = [];
    const loop = (async () => {
      for await (const value of values) {
        seen.push(value);
        if (value === 3) break;
      }
    })();
    while (!source.observed) await turn();
    for (const burst of [[1, 2], [3]]) {
      for (const value of burst) source.next(value);
      await turn();
    }
    await loop;
    expect(seen).toEqual([1, 2, 3]);
    expect(states.slice(0, 4)).toEqual([false, true, false, true]);
  });
});

test('the readable stream serves as the body of a Response', async () => {
  const { client } = await startLive({ f: scripted([{ chunk: 'Zoë ' }, { chunk: '€' }, { complete: {} }]) });
  const body = toReadableStream((pauseWhile) =>
    invokeWithResponseStream(client, input, { pauseWhile }).pipe(
      filter((event) => event.type === 'chunk'),
      map((event) => event.payload),
    ),
  );
  expect(await new Response(body).text()).toBe('Zoë €');
});
