import { createFlowControl, invokeWithResponseStream, parseNdjson, type LambdaStreamEvent } from 'rx-lambda-stream';
import { scripted, type LocalLambda } from 'rx-lambda-stream/local';
import {
  defer,
  filter,
  finalize,
  lastValueFrom,
  map,
  NEVER,
  take,
  takeWhile,
  tap,
  timer,
  toArray,
  type Observable,
} from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { collectGarbage } from '../support/collect-garbage.js';
import { outcomeOf } from '../support/collect.js';
import { httpHandlers, startLive } from '../support/live.js';
import { expectNoStrays } from '../support/no-strays.js';

expectNoStrays();

const pieceBytes = 64 * 1024;
const mebibyte = 1024 * 1024;
const input = { FunctionName: 'f' };

/** Writes pieces without end, as fast as they are read; ends with the test, since no client can stop a function. */
function endless(piece: string): () => AsyncGenerator<string> {
  let over = false;
  onTestFinished(() => {
    over = true;
  });
  return async function* () {
    while (!over) {
      yield piece;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
}

/** What is reachable, buffers included. (The resident set would count garbage, and the runner's own pages.) */
function heldNow(): number {
  // Twice: buffers that the first one found are only counted out when the next one begins.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe.each(httpHandlers)('with %s', (_name, requestHandler) => {
  interface Measured {
    /** Bytes that the server has written and no work has finished, by pieces of work done. */
    readonly backlog: number[];
    /** What the process held at the most, apart from garbage, above what it held before: in bytes. */
    readonly maxHeld: number;
  }

  /** Does 20 ms of work for each piece of 64 KiB, so many pieces, one at a time. */
  async function work(local: LocalLambda, pieces: number, stream: Observable<LambdaStreamEvent>): Promise<Measured> {
    await collectGarbage();
    const before = heldNow();
    const index = local.requests.length;
    const backlog: number[] = [];
    let maxHeld = 0;
    let doneBytes = 0;
    await lastValueFrom(
      stream.pipe(
        tap((event) => {
          doneBytes += (event as { payload: Uint8Array }).payload.length;
          backlog.push(local.requests[index]!.bytesWritten - doneBytes);
          if (backlog.length % 20 === 0) maxHeld = Math.max(maxHeld, heldNow() - before);
        }),
        take(pieces),
      ),
    );
    expect(await local.requests[index]!.closedEarly).toBe(true);
    return { backlog, maxHeld };
  }

  const slowly = (event: LambdaStreamEvent): Observable<LambdaStreamEvent> => timer(20).pipe(map(() => event));
  const isChunk = filter((event: LambdaStreamEvent) => event.type === 'chunk');

  test('slow work holds the server back: what it has written ahead stays bounded, and so does the memory', async () => {
    const { local, client } = await startLive(
      { f: endless('x'.repeat(pieceBytes)) },
      { requestHandler: requestHandler() },
    );
    const controlled = defer(() => {
      const flow = createFlowControl();
      return invokeWithResponseStream(client, input, { pauseWhile: flow.paused }).pipe(
        isChunk,
        flow.mergeMap(slowly, 1),
      );
    });
    // Loads and compiles what a first invocation needs, which is not the stream's memory.
    await work(local, 30, controlled);

    const { backlog, maxHeld } = await work(local, 100, controlled);
    // 16 pieces are held here, and the rest is in the sockets' buffers. The kernel lets these grow to several megabytes
    // on loopback, and to its limits on a busy machine: usually 4 MiB on the sending side and 32 on the receiving side.
    expect(Math.max(...backlog)).toBeLessThan(40 * mebibyte);
    expect(maxHeld).toBeLessThan(32 * mebibyte);
  });

  test('without flow control the server writes on as long as it is let', async () => {
    const { local, client } = await startLive(
      { f: endless('x'.repeat(pieceBytes)) },
      { requestHandler: requestHandler() },
    );
    const flow = createFlowControl();
    const uncontrolled = invokeWithResponseStream(client, input).pipe(isChunk, flow.mergeMap(slowly, 1));
    const beyondBuffers = uncontrolled.pipe(
      takeWhile(({ type }) => type === 'chunk' && local.requests[0]!.bytesWritten < 64 * mebibyte, true),
    );
    const { backlog } = await work(local, Infinity, beyondBuffers);
    expect(Math.max(...backlog)).toBeGreaterThan(40 * mebibyte);
  });

  test('records are saved four at a time, none lost, while reading is paused and resumed', async () => {
    const count = 20_000;
    const ndjson = Array.from({ length: count }, (_, id) => `${JSON.stringify({ id, text: 'x'.repeat(50) })}\n`);
    const { client } = await startLive(
      {
        f: async function* () {
          for (let at = 0; at < count; at += 100) yield ndjson.slice(at, at + 100).join('');
          await Promise.resolve();
        },
      },
      { requestHandler: requestHandler() },
    );
    const flow = createFlowControl({ highWaterMark: 8 });
    const changes: boolean[] = [];
    flow.paused.subscribe((paused) => changes.push(paused));
    let inWork = 0;
    let mostInWork = 0;
    const save = ({ id }: { id: number }): Promise<number> => {
      mostInWork = Math.max(mostInWork, ++inWork);
      return new Promise((resolve) =>
        setImmediate(() => {
          inWork--;
          resolve(id);
        }),
      );
    };
    const saved = await lastValueFrom(
      invokeWithResponseStream(client, input, { pauseWhile: flow.paused }).pipe(
        parseNdjson<{ id: number }>(),
        flow.mergeMap(save, 4),
        toArray(),
      ),
    );
    expect([...saved].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, id) => id));
    expect(mostInWork).toBe(4);
    expect(changes.length).toBeGreaterThan(10);
    expect(changes.at(-1)).toBe(false);
  });
});

test('a failing piece of work closes the connection, and leaves nothing paused', async () => {
  const { local, client } = await startLive({ f: endless('x'.repeat(pieceBytes)) });
  const flow = createFlowControl({ highWaterMark: 2 });
  let paused: boolean | undefined;
  flow.paused.subscribe((state) => (paused = state));
  const failure = new Error('disk full');
  const result = await outcomeOf(
    invokeWithResponseStream(client, input, { pauseWhile: flow.paused }).pipe(
      flow.mergeMap((_, index) => {
        if (index === 5) throw failure;
        return timer(1);
      }, 1),
    ),
  );
  expect(result.error).toBe(failure);
  expect(await local.requests[0]!.closedEarly).toBe(true);
  expect(paused).toBe(false);
});

test('unsubscribing from paused work closes the connection and cancels the work', async () => {
  const { local, client } = await startLive({ f: endless('x'.repeat(pieceBytes)) });
  const flow = createFlowControl({ highWaterMark: 4 });
  let inWork = 0;
  const full = lastValueFrom(flow.paused.pipe(filter(Boolean), take(1)));
  const subscription = invokeWithResponseStream(client, input, { pauseWhile: flow.paused })
    .pipe(
      flow.mergeMap(() =>
        defer(() => {
          inWork++;
          return NEVER.pipe(finalize(() => inWork--));
        }),
      ),
    )
    .subscribe();
  await full;
  expect(inWork).toBeGreaterThanOrEqual(4);
  subscription.unsubscribe();
  expect(inWork).toBe(0);
  expect(await local.requests[0]!.closedEarly).toBe(true);
});

test('a stream whose work keeps pace is never paused', async () => {
  const { client } = await startLive({ f: scripted([{ chunk: 'a' }, { chunk: 'b' }, { complete: {} }]) });
  const flow = createFlowControl({ highWaterMark: 2 });
  const changes: boolean[] = [];
  flow.paused.subscribe((paused) => changes.push(paused));
  const types = invokeWithResponseStream(client, input, { pauseWhile: flow.paused }).pipe(
    flow.mergeMap(({ type }) => [type], 1),
    toArray(),
  );
  expect(await lastValueFrom(types)).toEqual(['head', 'chunk', 'chunk', 'complete']);
  expect(changes).toEqual([false]);
});
