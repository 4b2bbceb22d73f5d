import { TruncatedStreamError, type LambdaStreamEvent, type RetryEvent } from 'rx-lambda-stream';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { relayedInvoke, type RelayedInvokeOptions, type RelayPosition } from '../../src/http/relayed-invoke.js';
import { encodeChunk, encodeEvent } from '../../src/event-stream/encode-message.js';
import { startFrames } from '../http/play-relay.js';
import { outcomeOf, textOf } from '../support/collect.js';
import { startRelay } from './relay-server.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';
import { stopClock } from './virtual-clock.js';
import { follow, writtenInvocation, type WrittenInvocation } from './written-invocation.js';

const input = { FunctionName: 'chat' };

/** A relay behind a proxy, and the invocation that it relays. */
async function throughProxy(): Promise<WrittenInvocation & { proxy: TcpProxy; url: string }> {
  const invocation = writtenInvocation();
  const { port } = await startRelay({ authorize: () => ({ key: 'k', open: invocation.open }) });
  const proxy = await startTcpProxy(port);
  return { ...invocation, proxy, url: proxy.url };
}

const retriesOf = <T extends LambdaStreamEvent>(values: readonly T[]): (T & RetryEvent)[] =>
  values.filter((event): event is T & RetryEvent => event.type === 'retry');

describe('a connection that is cut', () => {
  test('goes on at its byte, by itself, with a retry of mode replay, and nothing runs again', async () => {
    const { proxy, running, write, finish, opened, url } = await throughProxy();
    const client = follow(relayedInvoke({ url, reconnect: { initialDelayMs: 0 } })(undefined, input));
    await running;
    for (const [round, text] of ['hé', 'l€', 'lo'].entries()) {
      write(text);
      await client.until((values) => textOf(values).endsWith(text));
      proxy.cut();
      await client.until((values) => retriesOf(values).length > round);
    }
    finish();
    const { values, completed } = await client.outcome;
    expect([textOf(values), completed, opened()]).toEqual(['hél€lo', true, 1]);
    const retries = retriesOf(values);
    expect(retries.map(({ mode, attempt, delivered }) => [mode, attempt, delivered.bytes])).toEqual([
      ['replay', 2, 3],
      ['replay', 3, 7],
      ['replay', 4, 9],
    ]);
    expect(retries[1]?.position).toMatch(/-7$/);
    expect(retries[0]?.error).toBeInstanceOf(TruncatedStreamError);
  });

  test('a reload resumes from the position that the application kept', async () => {
    const { running, write, finish, opened, url } = await throughProxy();
    const page = follow(relayedInvoke({ url })(undefined, input));
    await running;
    write('before ');
    await page.until((values) => textOf(values) === 'before ');
    page.leave();
    const after = page.values.at(-1)?.position;
    expect(after).toMatch(/-7$/);
    write('after');
    finish();
    const { values } = await outcomeOf(relayedInvoke({ url })(undefined, input, { after: after! }));
    expect([textOf(values), opened()]).toEqual(['after', 1]);
  });

  test('reconnect: false passes the cut on', async () => {
    const { proxy, running, write, url } = await throughProxy();
    const client = follow(relayedInvoke({ url, reconnect: false })(undefined, input));
    await running;
    write('a');
    await client.until((values) => textOf(values) === 'a');
    proxy.cut();
    expect((await client.outcome).error).toBeInstanceOf(TruncatedStreamError);
  });

  test('while the relay is away it tries again, at most maxAttempts times', async () => {
    const { proxy, running, write, url } = await throughProxy();
    const reconnect = { maxAttempts: 3, initialDelayMs: 0 };
    const client = follow(relayedInvoke({ url, reconnect })(undefined, input));
    await running;
    write('a');
    await client.until((values) => textOf(values) === 'a');
    proxy.down();
    const { values, error } = await client.outcome;
    expect(retriesOf(values)).toHaveLength(3);
    expect(error).toMatchObject({ name: 'TypeError' });
  });

  test('unsubscribing within the wait sends nothing more', async () => {
    const { proxy, running, write, url } = await throughProxy();
    const client = follow(relayedInvoke({ url })(undefined, input));
    await running;
    write('a');
    await client.until((values) => textOf(values) === 'a');
    const clock = stopClock();
    proxy.cut();
    await client.until((values) => retriesOf(values).length === 1);
    client.leave();
    // By far the longest wait.
    await clock.advance(60_000);
    expect(proxy.connections).toBe(1);
  });
});

/** Makes the answer to one request. */
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

  test('an option that is undefined is the default', async () => {
    const { fetch, sent } = scripted(
      () => frames('cut', encodeChunk('ab')),
      () => new Response('', { status: 503 }),
    );
    const reconnect = { ...quick, maxAttempts: undefined, timeoutMs: undefined } as object;
    const { values, error } = await outcomeOf(
      relayedInvoke({ url: 'http://a.example', fetch, reconnect })(undefined, input),
    );
    expect(error).toMatchObject({ $metadata: { httpStatusCode: 503 } });
    expect([textOf(values), sent.length]).toEqual(['ab', 1 + 8]);
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

  test('an error that the relay sends within the stream is final, and not a lost connection', async () => {
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

  test('waits have full jitter and grow, up to maxDelayMs', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const { connection, fetchFrom, record } = startFrames();
    const reconnect = { maxAttempts: 5, initialDelayMs: 4, maxDelayMs: 20 };
    // prettier-ignore
    const relay =  connection('ha-#');
    // prettier-ignore
    const again =  connection('     #');
    // prettier-ignore
    const result =            'ha-r-r---r-------r---------r---------#';
    const fetch = fetchFrom([relay, again, again, again, again, again]);
    expect(await record(relayedInvoke({ url: 'http://a.example', fetch, reconnect })(undefined, input), 38)).toBe(
      result,
    );
  });

  test('a connection that is silent for timeoutMs counts as lost; a ping is no silence', async () => {
    const { connection, fetchFrom, record } = startFrames();
    const reconnect = { initialDelayMs: 0, timeoutMs: 10 };
    // prettier-ignore
    const silent =  connection('ha--------------');
    // prettier-ignore
    const pinging = connection('            h------p------p------(c|)');
    // prettier-ignore
    const result =             'ha---------rh--------------------(c|)--';
    const signals: (AbortSignal | null | undefined)[] = [];
    const answer = fetchFrom([silent, pinging]);
    const invoke = relayedInvoke({
      url: 'http://a.example',
      reconnect,
      fetch: (url, init) => (signals.push(init.signal), answer(url, init)),
    });
    expect(await record(invoke(undefined, input), 36)).toBe(result);
    expect(signals[0]?.aborted).toBe(true);
  });

  /** Puts a browser's window in the global object's place. */
  function openWindow(onLine: boolean): { say: (onLine: boolean) => void } {
    const window = new EventTarget();
    vi.stubGlobal('navigator', { onLine });
    vi.stubGlobal('addEventListener', window.addEventListener.bind(window));
    vi.stubGlobal('removeEventListener', window.removeEventListener.bind(window));
    return {
      say(isOnLine) {
        vi.stubGlobal('navigator', { onLine: isOnLine });
        window.dispatchEvent(new Event(isOnLine ? 'online' : 'offline'));
      },
    };
  }

  test('while navigator.onLine is false it waits for online and counts nothing', async () => {
    const { connection, fetchFrom, record } = startFrames();
    const { say } = openWindow(true);
    // prettier-ignore
    const relay =  connection('ha-#');
    // prettier-ignore
    const failed = connection('          -#');
    // prettier-ignore
    const again =  connection('                    h(c|)');
    // prettier-ignore
    const result =            'ha-r-------r--------h(c|)---';
    setTimeout(() => say(false), 2);
    // The browser is offline again before the answer. The request fails, and does not count as an attempt.
    for (const frame of [10, 20]) setTimeout(() => say(true), frame);
    setTimeout(() => say(false), 10);
    const invoke = relayedInvoke({
      url: 'http://a.example',
      fetch: fetchFrom([relay, failed, again]),
      reconnect: { initialDelayMs: 0, maxAttempts: 0 },
    });
    expect(await record(invoke(undefined, input), 25)).toBe(result);
  });

  test('online ends a wait', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const { connection, fetchFrom, record } = startFrames();
    const { say } = openWindow(true);
    // prettier-ignore
    const relay =  connection('ha-#');
    // prettier-ignore
    const again =  connection('          h(c|)');
    // prettier-ignore
    const result =            'ha-r------h(c|)----';
    setTimeout(() => say(true), 10);
    const invoke = relayedInvoke({
      url: 'http://a.example',
      fetch: fetchFrom([relay, again]),
      reconnect: { initialDelayMs: 1_000, maxDelayMs: 1_000 },
    });
    expect(await record(invoke(undefined, input), 16)).toBe(result);
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
