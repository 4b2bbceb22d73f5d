import { concat, of, Subject, type Observable } from 'rxjs';
import { TruncatedStreamError, type LambdaStreamEvent, type RetryEvent } from 'rx-lambda-stream';
import { chunkEvent, completeEvent, headEvent } from 'rx-lambda-stream/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { relayedInvoke, type RelayedInvokeOptions, type RelayPosition } from '../../src/http/relayed-invoke.js';
import { encodeChunk, encodeEvent } from '../../src/event-stream/encode-message.js';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';
import { startTcpProxy } from './tcp-proxy.js';
import { startRelay } from './relay-server.js';

const input = { FunctionName: 'chat' };

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A relay behind a proxy, and a client that collects. */
async function throughProxy(): Promise<{
  proxy: Awaited<ReturnType<typeof startTcpProxy>>;
  events: Subject<LambdaStreamEvent>;
  opened: () => number;
  url: string;
}> {
  const events = new Subject<LambdaStreamEvent>();
  let opened = 0;
  const open = (): Observable<LambdaStreamEvent> => (opened++, concat(of(headEvent()), events));
  const { port } = await startRelay({ authorize: () => ({ key: 'k', open }) });
  const proxy = await startTcpProxy(port);
  return { proxy, events, opened: () => opened, url: proxy.url };
}

describe('a connection that is cut', () => {
  test('goes on at its byte, by itself, with a retry of mode replay, and nothing runs again', async () => {
    const { proxy, events, opened, url } = await throughProxy();
    const values: (LambdaStreamEvent & { position?: string })[] = [];
    const invoke = relayedInvoke({ url, reconnect: { initialDelayMs: 1 } });
    const done = new Promise<void>((resolve, reject) => {
      invoke(undefined, input).subscribe({ next: (event) => values.push(event), error: reject, complete: resolve });
    });
    for (const [round, text] of ['hé', 'l€', 'lo'].entries()) {
      await until(() => events.observed);
      events.next(chunkEvent(text));
      await until(() => textOf(values).endsWith(text));
      proxy.cut();
      await until(() => values.filter(({ type }) => type === 'retry').length > round);
    }
    events.next(completeEvent());
    events.complete();
    await done;
    expect([textOf(values), opened()]).toEqual(['hél€lo', 1]);
    const retries = values.filter((event): event is RetryEvent & { position?: string } => event.type === 'retry');
    expect(retries.map(({ mode, attempt, delivered }) => [mode, attempt, delivered.bytes])).toEqual([
      ['replay', 2, 3],
      ['replay', 3, 7],
      ['replay', 4, 9],
    ]);
    expect(retries[1]?.position).toMatch(/-7$/);
    expect(retries[0]?.error).toBeInstanceOf(TruncatedStreamError);
  });

  test('a reload resumes from the position that the application kept', async () => {
    const { events, opened, url } = await throughProxy();
    let kept: RelayPosition | undefined;
    const page = relayedInvoke({ url })(undefined, input).subscribe(({ position }) => (kept = position));
    await until(() => events.observed);
    events.next(chunkEvent('before '));
    await until(() => kept?.endsWith('-7') === true);
    page.unsubscribe();
    events.next(chunkEvent('after'));
    events.next(completeEvent());
    events.complete();
    const { values } = await outcomeOf(relayedInvoke({ url })(undefined, input, { after: kept! }));
    expect([textOf(values), opened()]).toEqual(['after', 1]);
  });

  test('reconnect: false passes the cut on', async () => {
    const { proxy, events, url } = await throughProxy();
    const outcome = outcomeOf(relayedInvoke({ url, reconnect: false })(undefined, input));
    await until(() => events.observed);
    events.next(chunkEvent('a'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    proxy.cut();
    expect((await outcome).error).toBeInstanceOf(TruncatedStreamError);
  });

  test('while the relay is away it tries again, at most maxAttempts times', async () => {
    const { proxy, events, url } = await throughProxy();
    const outcome = outcomeOf(
      relayedInvoke({ url, reconnect: { maxAttempts: 3, initialDelayMs: 1 } })(undefined, input),
    );
    await until(() => events.observed);
    events.next(chunkEvent('a'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    proxy.down();
    const { values, error } = await outcome;
    expect(values.filter(({ type }) => type === 'retry')).toHaveLength(3);
    expect(error).toMatchObject({ name: 'TypeError' });
  });

  test('unsubscribing within the wait sends nothing more', async () => {
    const { proxy, events, url } = await throughProxy();
    const invoke = relayedInvoke({ url, reconnect: { initialDelayMs: 100_000, maxDelayMs: 100_000 } });
    const seen: string[] = [];
    const subscription = invoke(undefined, input).subscribe(({ type }) => {
      seen.push(type);
      if (type === 'retry') queueMicrotask(() => subscription.unsubscribe());
    });
    await until(() => events.observed);
    events.next(chunkEvent('a'));
    await until(() => seen.includes('chunk'));
    proxy.cut();
    await new Promise((resolve) => subscription.add(() => resolve(undefined)));
    expect(proxy.connections).toBe(1);
  });
});

/** Answers of a relay that a test writes, one for each connection. */
type Script = (init: RequestInit) => Response | Error;

const keyed = { 'content-type': 'application/vnd.amazon.eventstream', 'x-rx-invocation': '7' };

/** A keyed answer of these frames, which is then cut, or stays silent. */
function frames(end: 'cut' | 'silent' | 'end', ...parts: Uint8Array[]): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      if (end === 'end') controller.close();
    },
    pull(controller) {
      if (end === 'cut') controller.error(new TypeError('terminated'));
      return end === 'silent' ? new Promise(() => undefined) : undefined;
    },
  });
  return new Response(body, { headers: keyed });
}

const complete = encodeEvent('InvokeComplete', 'application/json', '{}');

function scripted(...answers: Script[]): { fetch: NonNullable<RelayedInvokeOptions['fetch']>; sent: RequestInit[] } {
  const sent: RequestInit[] = [];
  return {
    sent,
    fetch(_, init) {
      const answer = answers[Math.min(sent.push(init), answers.length) - 1]?.(init);
      return answer instanceof Response ? Promise.resolve(answer) : Promise.reject(answer ?? new Error('unexpected'));
    },
  };
}

describe('reconnecting', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
  const quick = { initialDelayMs: 0, maxDelayMs: 0 };

  test.each([429, 502, 503, 504])('status %i is tried again', async (status) => {
    const { fetch, sent } = scripted(
      () => frames('cut', encodeChunk('ab')),
      () => new Response('', { status }),
      () => frames('end', encodeChunk('c'), complete),
    );
    const { values, completed } = await outcomeOf(
      relayedInvoke({ url: 'http://a.example', fetch, reconnect: quick })(undefined, input),
    );
    expect([textOf(values), completed, sent.length]).toEqual(['abc', true, 3]);
    expect(sent.map(({ headers }) => new Headers(headers).get('last-event-id'))).toEqual([null, '7-2', '7-2']);
  });

  test.each([400, 401, 403, 404, 409, 410, 424, 500])('any other status is the error: %i', async (status) => {
    const { fetch, sent } = scripted(
      () => frames('cut', encodeChunk('ab')),
      () => new Response('', { status }),
    );
    const { error } = await outcomeOf(
      relayedInvoke({ url: 'http://a.example', fetch, reconnect: quick })(undefined, input),
    );
    expect(error).toMatchObject({ $metadata: { httpStatusCode: status } });
    expect(sent).toHaveLength(2);
  });

  test('a byte delivered resets the count', async () => {
    const cutAfter =
      (text: string): Script =>
      () =>
        frames('cut', encodeChunk(text));
    const lost: Script = () => new TypeError('fetch failed');
    const { fetch } = scripted(cutAfter('a'), lost, cutAfter('b'), lost, cutAfter('c'), lost, () =>
      frames('end', encodeChunk('d'), complete),
    );
    const invoke = relayedInvoke({ url: 'http://a.example', fetch, reconnect: { ...quick, maxAttempts: 2 } });
    const { values, completed } = await outcomeOf(invoke(undefined, input));
    expect([textOf(values), completed]).toEqual(['abcd', true]);
  });

  test('headers are asked before each connection', async () => {
    const { fetch, sent } = scripted(
      () => frames('cut', encodeChunk('a')),
      () => frames('end', complete),
    );
    let token = 0;
    const invoke = relayedInvoke({
      url: 'http://a.example',
      fetch,
      reconnect: quick,
      headers: () => ({ authorization: String(++token) }),
    });
    await outcomeOf(invoke(undefined, input));
    expect(sent.map(({ headers }) => new Headers(headers).get('authorization'))).toEqual(['1', '2']);
  });

  test('what the relay says within the stream is the end, and no lost connection', async () => {
    const { encodeException } = await import('../../src/event-stream/encode-message.js');
    const { fetch, sent } = scripted(() =>
      frames('end', encodeException('TruncatedStreamError', { code: 'truncated', ours: true, status: 424 })),
    );
    const { error } = await outcomeOf(
      relayedInvoke({ url: 'http://a.example', fetch, reconnect: quick })(undefined, input),
    );
    expect(error).toBeInstanceOf(TruncatedStreamError);
    expect(sent).toHaveLength(1);
  });

  test('waits have full jitter and grow, by RxJS’s clock', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const { fetch } = scripted(
      () => frames('cut', encodeChunk('a')),
      () => new TypeError('fetch failed'),
    );
    const reconnect = { maxAttempts: 5, initialDelayMs: 2, maxDelayMs: 10 };
    const { values } = await outcomeOf(relayedInvoke({ url: 'http://a.example', fetch, reconnect })(undefined, input));
    const delays = values.filter((event): event is RetryEvent => event.type === 'retry').map(({ delayMs }) => delayMs);
    expect(delays).toEqual([1, 2, 4, 5, 5]);
  });

  test('a connection that is silent for timeoutMs counts as lost; a ping is no silence', async () => {
    const ping = encodeEvent('RxPing', 'application/json', '{}');
    const pinging = (): Response => {
      let pings = 0;
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          controller.enqueue(pings++ < 8 ? ping : complete);
        },
      });
      return new Response(body, { headers: keyed });
    };
    const { fetch, sent } = scripted(() => frames('silent', encodeChunk('a')), pinging);
    const invoke = relayedInvoke({ url: 'http://a.example', fetch, reconnect: { ...quick, timeoutMs: 100 } });
    const { values, completed } = await outcomeOf(invoke(undefined, input));
    expect([typesOf(values), completed, sent.length]).toEqual(['head chunk retry head complete', true, 2]);
    expect(sent[0]?.signal?.aborted).toBe(true);
  });

  test('while navigator.onLine is false it waits for online and counts nothing', async () => {
    const page = new EventTarget();
    vi.stubGlobal('navigator', { onLine: false });
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
    vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
    const { fetch, sent } = scripted(
      () => frames('cut', encodeChunk('a')),
      () => new TypeError('fetch failed'),
      () => new TypeError('fetch failed'),
      () => frames('end', complete),
    );
    const invoke = relayedInvoke({ url: 'http://a.example', fetch, reconnect: { ...quick, maxAttempts: 1 } });
    const values: LambdaStreamEvent[] = [];
    const outcome = new Promise<boolean>((resolve) => {
      invoke(undefined, input).subscribe({
        next: (event) => values.push(event),
        error: () => resolve(false),
        complete: () => resolve(true),
      });
    });
    for (const connections of [1, 2, 3]) {
      await until(() => values.filter(({ type }) => type === 'retry').length === connections);
      // Nothing is sent while the browser says that it is offline.
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(sent).toHaveLength(connections);
      if (connections === 3) vi.stubGlobal('navigator', { onLine: true });
      page.dispatchEvent(new Event('online'));
    }
    expect(await outcome).toBe(true);
  });

  test('online ends a wait', async () => {
    const page = new EventTarget();
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
    vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const { fetch } = scripted(
      () => frames('cut', encodeChunk('a')),
      () => frames('end', complete),
    );
    const invoke = relayedInvoke({
      url: 'http://a.example',
      fetch,
      reconnect: { initialDelayMs: 1e9, maxDelayMs: 1e9 },
    });
    const done = new Promise<void>((resolve) => {
      invoke(undefined, input).subscribe({
        next: ({ type }) => type === 'retry' && setTimeout(() => page.dispatchEvent(new Event('online'))),
        complete: resolve,
      });
    });
    await done;
  });

  test('a later generation is told as a restart, once', async () => {
    const restart = encodeEvent('RxRestart', 'application/json', JSON.stringify({ generation: '8' }));
    const { fetch, sent } = scripted(
      () => frames('cut', encodeChunk('ab')),
      () => {
        const response = frames('cut', restart, encodeChunk('xyz'));
        response.headers.set('x-rx-invocation', '8');
        return response;
      },
      () => {
        const response = frames('end', complete);
        response.headers.set('x-rx-invocation', '8');
        return response;
      },
    );
    const { values } = await outcomeOf(
      relayedInvoke({ url: 'http://a.example', fetch, reconnect: quick })(undefined, input),
    );
    const told = values.filter((event): event is RetryEvent & { position?: RelayPosition } => event.type === 'retry');
    expect(told.map(({ mode, position }) => [mode, position])).toEqual([
      ['replay', '7-2'],
      ['restart', '8-0'],
      ['replay', '8-3'],
    ]);
    expect(new Headers(sent[2]?.headers).get('last-event-id')).toBe('8-3');
  });
});
