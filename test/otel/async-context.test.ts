/**
 * Whose request is this? Each source and each operator delivers in the context of its subscription, with plain
 * AsyncLocalStorage and with OpenTelemetry, whoever lifts a pause and whatever the client's middleware enters.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { context, createContextKey } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import {
  collectResponse,
  createFlowControl,
  decodeHttpResponse,
  decodeText,
  invokeWithResponseStream,
  observeInvocation,
  parseNdjson,
  parseSse,
  retryInvocation,
  shareInvocation,
  splitLines,
  toAsyncIterable,
  toReadableStream,
  toSnapshots,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { fetchResponseStream, relayedInvoke } from 'rx-lambda-stream/http';
import { scripted } from 'rx-lambda-stream/local';
import { followInvocation, joinInvocation, memoryLog } from 'rx-lambda-stream/log';
import { traceInvocation } from 'rx-lambda-stream/otel';
import { chunkEvent, completeEvent, fakeInvoke, headEvent } from 'rx-lambda-stream/testing';
import { BehaviorSubject, concatMap, defer, from, NEVER, Observable, timer } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRelay } from '../relay/relay-server.js';
import { startHttp, writeAll } from '../support/live-http.js';
import { startLive } from '../support/live.js';

/** A way to say whose request it is. */
interface Contexts {
  readonly run: <R>(who: string, act: () => R) => R;
  readonly present: () => string | undefined;
}

const storage = new AsyncLocalStorage<string>();
const key = createContextKey('who');
const manager = new AsyncLocalStorageContextManager();
beforeAll(() => void context.setGlobalContextManager(manager.enable()));
afterAll(() => context.disable());

const kinds: Record<string, Contexts> = {
  AsyncLocalStorage: { run: (who, act) => storage.run(who, act), present: () => storage.getStore() },
  OpenTelemetry: {
    run: (who, act) => context.with(context.active().setValue(key, who), act),
    present: () => context.active().getValue(key) as string | undefined,
  },
};

type Open = (pauseWhile: Observable<boolean>) => Observable<LambdaStreamEvent>;

const steps = [{ chunk: '{"a":1}\n' }, { chunk: 'data: x\n\n' }, { complete: {} }, 'end'] as const;
const input = { FunctionName: 'f' };

/** A client whose middleware runs each request in a context of its own, as an instrumentation does. */
async function instrumentedClient({ run }: Contexts): Promise<LambdaClient> {
  const { client } = await startLive({ f: scripted([...steps]) });
  client.middlewareStack.add((next) => (args) => run('a span of the SDK', () => next(args)), { step: 'initialize' });
  return client;
}

const sources: Record<string, (contexts: Contexts) => Promise<Open>> = {
  invokeWithResponseStream: async (contexts) => {
    const client = await instrumentedClient(contexts);
    return (pauseWhile) => invokeWithResponseStream(client, input, { pauseWhile });
  },
  'invokeWithResponseStream of a mocked client': () => {
    const EventStream = [{ PayloadChunk: { Payload: new Uint8Array(1) } }, { InvokeComplete: {} }];
    const client = { send: () => Promise.resolve({ EventStream: EventStream as never }) };
    return Promise.resolve((pauseWhile) => invokeWithResponseStream(client, input, { pauseWhile }));
  },
  fetchResponseStream: async ({ run }) => {
    const { url } = await startHttp((response) => writeAll(response, ['{"a":1}\n', 'data: x\n\n']));
    return (pauseWhile) =>
      fetchResponseStream(url, { pauseWhile, fetch: (request, init) => run('a span', () => fetch(request, init)) });
  },
  relayedInvoke: async (contexts) => {
    const client = await instrumentedClient(contexts);
    const { url } = await startRelay({
      authorize: ({ input }) => ({
        open: (pauseWhile) => invokeWithResponseStream(client, input, { pauseWhile }),
      }),
    });
    const invoke = relayedInvoke({ url });
    return (pauseWhile) => invoke({ send: () => Promise.resolve({}) }, input, { pauseWhile });
  },
  fakeInvoke: ({ run }) => {
    const response = [headEvent(), chunkEvent('{"a":1}\n'), completeEvent()];
    const elsewhere = new Observable<LambdaStreamEvent>((subscriber) =>
      run('the test', () =>
        timer(1)
          .pipe(concatMap(() => response))
          .subscribe(subscriber),
      ),
    );
    const invoke = fakeInvoke({ f: elsewhere });
    return Promise.resolve((pauseWhile) => invoke({ send: () => Promise.resolve({}) }, input, { pauseWhile }));
  },
  joinInvocation: async (contexts) => {
    const client = await instrumentedClient(contexts);
    const log = memoryLog();
    return (pauseWhile) =>
      joinInvocation(log, 'key', (pause) => invokeWithResponseStream(client, input, { pauseWhile: pause }), {
        pauseWhile,
      });
  },
  followInvocation: async (contexts) => {
    const client = await instrumentedClient(contexts);
    const log = memoryLog();
    const held = new BehaviorSubject(true);
    const produced = joinInvocation(log, 'key', () => invokeWithResponseStream(client, input, { pauseWhile: held }));
    await new Promise<void>((resolve) =>
      contexts.run('the producer', () => produced.subscribe(({ type }) => type === 'head' && resolve())),
    );
    return (pauseWhile) => {
      contexts.run('the producer', () => setImmediate(() => held.next(false)));
      return followInvocation(log, 'key', { pauseWhile });
    };
  },
};

/** Subscribes as somebody. Resolves at the end with whose the values and the completion were. */
function watch({ run, present }: Contexts, who: string, stream: Observable<unknown>): Promise<object> {
  const values = new Set<string | undefined>();
  return new Promise((resolve, reject) => {
    const next = (): unknown => values.add(present());
    const complete = (): void => resolve({ values: [...values], completion: present() });
    run(who, () => stream.subscribe({ next, error: reject, complete }));
  });
}

/** What {@link watch} sees where all is somebody's own. */
const allOf = (who: string): object => ({ values: [who], completion: who });

/** A pause that somebody else lifts, again and again, until nobody is paused any more. */
function liftedBy({ run }: Contexts, who: string): { pauseWhile: Observable<boolean>; stop: () => void } {
  const pauseWhile = new BehaviorSubject(true);
  const lifting = run(who, () => setInterval(() => pauseWhile.next(!pauseWhile.value), 3));
  return {
    pauseWhile,
    stop: () => {
      clearInterval(lifting);
      pauseWhile.next(false);
    },
  };
}

const slowSchema = {
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    validate: async (value: unknown) => {
      await new Promise((resolve) => setImmediate(resolve));
      return { value };
    },
  },
};

type Apply = (open: Open, pauseWhile: Observable<boolean>) => Observable<unknown>;

const operators: Record<string, Apply> = {
  decodeText: (open, pause) => open(pause).pipe(decodeText()),
  splitLines: (open, pause) => open(pause).pipe(splitLines()),
  parseNdjson: (open, pause) => open(pause).pipe(parseNdjson({ onInvalid: 'skip' })),
  'parseNdjson with an asynchronous schema': (open, pause) =>
    open(pause).pipe(parseNdjson({ schema: slowSchema, onInvalid: 'skip' })),
  parseSse: (open, pause) => open(pause).pipe(parseSse()),
  decodeHttpResponse: (open, pause) => open(pause).pipe(decodeHttpResponse()),
  collectResponse: (open, pause) => open(pause).pipe(collectResponse()),
  toSnapshots: (open, pause) => open(pause).pipe(toSnapshots({ intervalMs: 1 })),
  retryInvocation: (open, pause) => open(pause).pipe(retryInvocation()),
  shareInvocation: (open, pause) => open(pause).pipe(shareInvocation()),
  traceInvocation: (open, pause) => open(pause).pipe(traceInvocation({ functionName: 'f' })),
  createFlowControl: (open, pause) => {
    const flow = createFlowControl({ highWaterMark: 1 });
    return open(pause).pipe(flow.mergeMap((event) => Promise.resolve(event), 1));
  },
  observeInvocation: (open, pause) => open(pause).pipe(observeInvocation(() => undefined)),
  // Both are read by whoever reads them: the reader's own context is that of each value.
  toReadableStream: (open) => defer(() => from(toReadableStream(open))),
  toAsyncIterable: (open) => defer(() => from(toAsyncIterable(open))),
};

describe.each(Object.entries(kinds))('with %s', (_kind, contexts) => {
  it.each(Object.entries(sources))('%s delivers in the context of its subscription', async (_name, start) => {
    const open = await start(contexts);
    const { pauseWhile, stop } = liftedBy(contexts, 'whoever lifts the pause');
    expect(await watch(contexts, 'mine', open(pauseWhile))).toEqual(allOf('mine'));
    stop();
  });

  it.each(Object.entries(operators))('%s delivers in the context of its subscription', async (_name, apply) => {
    const client = await instrumentedClient(contexts);
    const open: Open = (pauseWhile) => invokeWithResponseStream(client, input, { pauseWhile });
    const { pauseWhile, stop } = liftedBy(contexts, 'whoever lifts the pause');
    expect(await watch(contexts, 'mine', apply(open, pauseWhile))).toEqual(allOf('mine'));
    stop();
  });

  it('the work of a flow control and the observer of an invocation run in the subscription’s context', async () => {
    const client = await instrumentedClient(contexts);
    const { pauseWhile, stop } = liftedBy(contexts, 'whoever lifts the pause');
    const workers = new Set<unknown>();
    const flow = createFlowControl({ highWaterMark: 1 });
    const stream = invokeWithResponseStream(client, input, { pauseWhile }).pipe(
      observeInvocation(() => workers.add(contexts.present())),
      flow.mergeMap(() => Promise.resolve(workers.add(contexts.present())), 1),
    );
    await watch(contexts, 'mine', stream);
    stop();
    expect([...workers]).toEqual(['mine']);
  });

  it.each(['shareInvocation', 'joinInvocation'])('%s delivers to each consumer in its own context', async (name) => {
    const client = await instrumentedClient(contexts);
    const { pauseWhile, stop } = liftedBy(contexts, 'whoever lifts the pause');
    const open = (): Observable<LambdaStreamEvent> => invokeWithResponseStream(client, input, { pauseWhile });
    const log = memoryLog();
    const shared = open().pipe(shareInvocation());
    const stream = (): Observable<unknown> =>
      name === 'shareInvocation' ? shared : joinInvocation(log, 'key', open, { pauseWhile: NEVER });
    const [alice, bob] = await Promise.all([watch(contexts, 'alice', stream()), watch(contexts, 'bob', stream())]);
    const late = await watch(contexts, 'late', stream());
    stop();
    expect([alice, bob, late]).toEqual(['alice', 'bob', 'late'].map(allOf));
  });
});
