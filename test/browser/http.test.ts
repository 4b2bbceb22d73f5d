import {
  collectResponse,
  createFlowControl,
  parseNdjson,
  parseSse,
  retryInvocation,
  toSnapshots,
  type HttpHeadEvent,
} from 'rx-lambda-stream';
import { fetchResponseStream } from 'rx-lambda-stream/http';
import {
  BehaviorSubject,
  concatMap,
  lastValueFrom,
  range,
  Subject,
  switchMap,
  take,
  tap,
  toArray,
  type Subscription,
} from 'rxjs';
import { describe, expect, inject, it } from 'vitest';
import { controlFunction, defineFunction } from '../support/browser-lambda.js';
import type { BrowserStep } from '../support/browser-protocol.js';
import { collectGarbage, fetchFailed, showsHeadersAlone } from '../support/browser-platform.js';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';

/** The head of a plain HTTP response. */
const head = (headers: Record<string, string> = {}, statusCode = 200): BrowserStep => ({
  // The endpoint announces a function's own type in both.
  head: {
    statusCode,
    headers: { 'content-type': 'text/plain', 'x-amzn-remapped-content-type': 'text/plain', ...headers },
  },
});

/** Has the endpoint answer plain HTTP under a URL of its own: the bytes that a script writes raw are the body. */
async function serve(...attempts: readonly (readonly BrowserStep[])[]) {
  const served = await defineFunction(...attempts);
  const { endpoint } = inject('clientConfig');
  const url = `${endpoint}/2021-11-15/functions/${served.name}/response-streaming-invocations`;
  return { ...served, url, post: (body = '') => new Request(url, { method: 'POST', body }) };
}

/** Opens the gate once this many events have arrived: a reset would take with it what nobody has read yet. */
async function outcomeOfCut({ open, post }: Awaited<ReturnType<typeof serve>>, events: number) {
  let seen = 0;
  return outcomeOf(
    fetchResponseStream(post()).pipe(
      tap(() => {
        if (++seen === events) void open('cut');
      }),
    ),
  );
}

function subscribeUntil(served: { post: () => Request }, type: string, pauseWhile = new BehaviorSubject(false)) {
  return new Promise<{ subscription: Subscription; types: string[]; errors: unknown[] }>((resolve) => {
    const types: string[] = [];
    const errors: unknown[] = [];
    const subscription = fetchResponseStream(served.post(), { pauseWhile }).subscribe({
      next(event) {
        types.push(event.type);
        if (event.type === type) queueMicrotask(() => resolve({ subscription, types, errors }));
      },
      error: (error: unknown) => errors.push(error),
    });
  });
}

describe('in a page, fetchResponseStream', () => {
  it('emits what it emits in Node, with the headers that CORS exposes and no cookies', async () => {
    const { post, requests } = await serve([
      head({ 'x-amzn-requestid': 'r-1', 'set-cookie': 'a=1' }, 201),
      { raw: 'one ' },
      { raw: 'two' },
    ]);
    const { values, completed } = await outcomeOf(fetchResponseStream(post('ask')));
    expect([textOf(values), completed]).toEqual(['one two', true]);
    expect(typesOf(values)).toMatch(/^head http-head( chunk)+ complete$/);
    expect(values[0]).toMatchObject({ statusCode: 201, contentType: 'text/plain', requestId: 'r-1' });
    expect((values[1] as HttpHeadEvent).cookies).toEqual([]);
    expect((await requests(1)).map(({ payload }) => payload)).toEqual(['ask']);
  });

  it('sends the body of one Request in each subscription', async () => {
    const { post, requests } = await serve([head(), { raw: 'all' }]);
    const stream = fetchResponseStream(post('ask'));
    await Promise.all([outcomeOf(stream), outcomeOf(stream)]);
    await outcomeOf(stream);
    expect((await requests(3)).map(({ payload }) => payload)).toEqual(['ask', 'ask', 'ask']);
  });

  it('takes a URL that is relative to the page', async () => {
    const { values } = await outcomeOf(fetchResponseStream('/', { failOnStatus: false }));
    expect(typesOf(values)).toMatch(/^head http-head( chunk)* complete$/);
  });

  it.each([204, 304])('completes a %i without a body after its heads', async (status) => {
    const { post } = await serve([head({}, status), 'end']);
    const { values, completed } = await outcomeOf(fetchResponseStream(post()));
    expect([typesOf(values), completed]).toEqual(['head http-head complete', true]);
  });

  it('loses nothing where a consumer transfers the buffers of its chunks', async () => {
    const text = Array.from({ length: 2_000 }, (_, i) => `${i};`).join('');
    const { post } = await serve([head(), ...(text.match(/.{1,100}/g) ?? []).map((raw) => ({ raw }))]);
    let seen = '';
    await new Promise<void>((resolve, reject) => {
      fetchResponseStream(post()).subscribe({
        next(event) {
          if (event.type !== 'chunk') return;
          const { payload } = event;
          seen += new TextDecoder().decode(structuredClone(payload, { transfer: [payload.buffer as ArrayBuffer] }));
        },
        complete: resolve,
        error: reject,
      });
    });
    expect(seen).toBe(text);
  });

  it('feeds the operators', async () => {
    const ndjson = await serve([head(), { raw: '{"i":1}\n{"i"' }, { raw: ':2}' }]);
    const rows = fetchResponseStream(ndjson.post()).pipe(parseNdjson<{ i: number }>());
    expect((await outcomeOf(rows)).values).toEqual([{ i: 1 }, { i: 2 }]);
    const sse = await serve([head(), { raw: 'data: one\n\nda' }, { raw: 'ta: two\n\n' }]);
    const events = fetchResponseStream(sse.post()).pipe(parseSse());
    expect((await outcomeOf(events)).values.map(({ data }) => data)).toEqual(['one', 'two']);
    const snapshots = fetchResponseStream(ndjson.post()).pipe(toSnapshots());
    expect((await outcomeOf(snapshots)).values.at(-1)).toMatchObject({ status: 'complete', text: '{"i":1}\n{"i":2}' });
    const collected = fetchResponseStream(ndjson.post()).pipe(collectResponse());
    expect((await outcomeOf(collected)).values[0]?.text()).toBe('{"i":1}\n{"i":2}');
    const flow = createFlowControl({ highWaterMark: 1 });
    const slow = fetchResponseStream(ndjson.post(), { pauseWhile: flow.paused }).pipe(
      parseNdjson<{ i: number }>(),
      flow.mergeMap(({ i }) => Promise.resolve(i), 1),
    );
    expect((await outcomeOf(slow)).values).toEqual([1, 2]);
  });
});

describe('failures in a page', () => {
  const cut = { gate: 'cut' };

  it('a chunked body that is cut is truncated, with what arrived', async () => {
    const { values, error } = await outcomeOfCut(await serve([head(), { raw: 'one' }, cut, 'reset']), 3);
    expect(textOf(values)).toBe('one');
    expect(error).toMatchObject({ code: 'truncated', chunks: 1, bytes: 3 });
  });

  it('so is a body with a length', async () => {
    const served = await serve([head({ 'content-length': '10' }), { raw: 'one' }, cut, 'reset']);
    const { error } = await outcomeOfCut(served, 3);
    expect(error).toMatchObject({ code: 'truncated', chunks: 1, bytes: 3 });
  });

  it('so is a body without a byte', async () => {
    const served = await serve([head(), cut, 'reset']);
    if (showsHeadersAlone) {
      const { error } = await outcomeOfCut(served, 2);
      expect(error).toMatchObject({ code: 'truncated', chunks: 0, bytes: 0 });
    } else {
      // No page sees these headers: to it the request has failed, and may have run.
      const result = outcomeOf(fetchResponseStream(served.post()));
      await served.requests(1);
      await served.open('cut');
      expect(await result).toMatchObject({ values: [], error: { name: 'TypeError', message: fetchFailed } });
    }
  });

  it.each([
    ['a chunked body', ''],
    ['a body with a length', '/10'],
  ])('%s whose connection is closed without its end is truncated too', async (_what, length) => {
    const gate = crypto.randomUUID();
    const { open } = controlFunction('cut');
    const source = fetchResponseStream(`${inject('controlUrl')}/cut/${gate}${length}`);
    const { values, error } = await outcomeOf(
      source.pipe(
        tap(({ type }) => {
          if (type === 'chunk') void open(gate);
        }),
      ),
    );
    expect(textOf(values)).toBe('one');
    expect(error).toMatchObject({ code: 'truncated', chunks: 1, bytes: 3 });
  });

  it('a reset before the headers is the error of fetch, which may have run', async () => {
    const { post } = await serve(['reset']);
    const { values, error } = await outcomeOf(fetchResponseStream(post()));
    expect(values).toEqual([]);
    expect(error).toMatchObject({ name: 'TypeError', message: fetchFailed });
  });

  it('a status is an HttpStatusError with its body, and Retry-After is obeyed where CORS exposes it', async () => {
    const { post, requests } = await serve(
      [head({ 'retry-after': '0.05' }, 503), { raw: 'busy' }],
      [head(), { raw: 'all' }],
    );
    const { error } = await outcomeOf(fetchResponseStream(post()));
    expect(error).toMatchObject({ code: 'http-status', statusCode: 503 });
    expect(new TextDecoder().decode((error as { body: Uint8Array }).body)).toBe('busy');
    const other = await serve([head({ 'retry-after': '0.05' }, 503), 'end'], [head(), { raw: 'all' }]);
    const { values } = await outcomeOf(fetchResponseStream(other.post('again')).pipe(retryInvocation()));
    expect(values[1]).toMatchObject({ type: 'retry', mode: 'fresh' });
    expect((values[1] as { delayMs: number }).delayMs).toBeGreaterThanOrEqual(50);
    expect(textOf(values)).toBe('all');
    expect((await other.requests(2)).map(({ payload }) => payload)).toEqual(['again', 'again']);
    expect(await requests(1)).toHaveLength(1);
  });

  it('an opaque response says that the page must not read it', async () => {
    const { url } = await serve([head(), { raw: 'all' }]);
    const request = new Request(url, { method: 'POST', body: '', mode: 'no-cors' });
    const { error } = await outcomeOf(fetchResponseStream(request));
    expect(error).toMatchObject({ code: 'protocol', message: expect.stringContaining('is opaque') as string });
  });

  it('no error tells the URL', async () => {
    for (const url of ['http://secret:secret@127.0.0.1/', 'http://127.0.0.1:1/secret', 'secret://x/']) {
      const { error } = await outcomeOf(fetchResponseStream(() => url));
      expect(error).toBeInstanceOf(TypeError);
      expect(String((error as Error).stack)).not.toContain('secret:secret');
      expect((error as Error).message).not.toContain('secret');
    }
  });
});

describe('unsubscribing in a page, and the server sees the connection close,', () => {
  it('before the headers', async () => {
    const { post, requests, closedEarly } = await serve(['stall']);
    const subscription = fetchResponseStream(post()).subscribe();
    await requests(1);
    subscription.unsubscribe();
    expect(await closedEarly(0)).toBe(true);
  });

  it.each([
    // Firefox waits for the first byte.
    ['after the headers', 'http-head', showsHeadersAlone ? [head(), 'stall'] : [head(), { raw: 'one' }, 'stall']],
    ['idle, with a read pending', 'chunk', [head(), { raw: 'one' }, 'stall']],
    ['while the body of a failed response arrives', 'head', [head({}, 500), { raw: 'one' }, 'stall']],
  ] as [string, string, BrowserStep[]][])('%s', async (_when, type, steps) => {
    const served = await serve(steps);
    const { subscription, types, errors } = await subscribeUntil(served, type);
    const before = types.length;
    subscription.unsubscribe();
    expect(await served.closedEarly(0)).toBe(true);
    expect([types.length, errors]).toEqual([before, []]);
  });

  it('after garbage collections, before the headers and with a read pending', async () => {
    const silent = await serve(['stall']);
    const waiting = fetchResponseStream(silent.post()).subscribe();
    await silent.requests(1);
    await collectGarbage();
    waiting.unsubscribe();
    expect(await silent.closedEarly(0)).toBe(true);

    const served = await serve([head(), { raw: 'one' }, 'stall']);
    const { subscription, types, errors } = await subscribeUntil(served, 'chunk');
    await collectGarbage();
    subscription.unsubscribe();
    expect(await served.closedEarly(0)).toBe(true);
    expect([types, errors]).toEqual([['head', 'http-head', 'chunk'], []]);
  });

  it('paused, and paused since before the first byte', async () => {
    for (const [type, isPaused] of [
      ['chunk', false],
      ['http-head', true],
    ] as const) {
      const served = await serve([head(), { raw: 'one' }, 'stall']);
      const pauseWhile = new BehaviorSubject(isPaused);
      const { subscription, errors } = await subscribeUntil(served, type, pauseWhile);
      pauseWhile.next(true);
      subscription.unsubscribe();
      expect(await served.closedEarly(0)).toBe(true);
      expect(errors).toEqual([]);
    }
  });

  it('by the Request’s own signal, with its reason', async () => {
    const { url, closedEarly } = await serve([head(), { raw: 'one' }, 'stall']);
    const controller = new AbortController();
    const request = new Request(url, { method: 'POST', body: '', signal: controller.signal });
    const reason = new Error('enough');
    const { error } = await outcomeOf(
      fetchResponseStream(request).pipe(
        concatMap((event) => {
          if (event.type === 'chunk') controller.abort(reason);
          return [event];
        }),
      ),
    );
    expect(error).toBe(reason);
    expect(await closedEarly(0)).toBe(true);
  });

  it('take(1) fifty times leaves room for one more request on Chromium’s six connections', async () => {
    const { post, closedEarly } = await serve([head(), { raw: 'one' }, 'stall']);
    const firsts = await lastValueFrom(
      range(50).pipe(
        concatMap(() => fetchResponseStream(post()).pipe(take(1))),
        toArray(),
      ),
    );
    expect(typesOf(firsts)).toBe(Array(50).fill('head').join(' '));
    const { values } = await outcomeOf(fetchResponseStream(post()).pipe(take(3)));
    expect(typesOf(values)).toBe('head http-head chunk');
    for (let index = 0; index < 51; index++) expect(await closedEarly(index)).toBe(true);
  });

  it('switchMap over ten requests leaves only the last one open', async () => {
    const outdated = Array.from({ length: 9 }, (): BrowserStep[] => [head(), { raw: 'outdated' }, 'stall']);
    const { post, requests, closedEarly } = await serve(...outdated, [head(), { raw: 'the last' }]);
    const inputs = new Subject<number>();
    const result = outcomeOf(inputs.pipe(switchMap((n) => fetchResponseStream(post(`${n}`)))));
    for (let n = 0; n < 10; n++) {
      inputs.next(n);
      await requests(n + 1);
    }
    inputs.complete();
    expect(textOf((await result).values)).toMatch(/the last$/);
    const ends: boolean[] = [];
    for (let n = 0; n < 10; n++) ends.push(await closedEarly(n));
    expect(ends).toEqual([...Array<boolean>(9).fill(true), false]);
  });
});

it('a paused stream goes on where it stopped', async () => {
  const text = Array.from({ length: 300 }, (_, i) => `${i};`).join('');
  const { post } = await serve([head(), ...(text.match(/.{1,37}/g) ?? []).map((raw) => ({ raw }))]);
  const pauseWhile = new Subject<boolean>();
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => pauseWhile.next(false);
  let seen = '';
  await new Promise<void>((resolve, reject) => {
    fetchResponseStream(post(), { pauseWhile }).subscribe({
      next(event) {
        if (event.type !== 'chunk') return;
        seen += new TextDecoder().decode(event.payload);
        pauseWhile.next(true);
        // Resumed in this turn or, by a message, in a later one.
        if (seen.length % 2) port2.postMessage('resume');
        else queueMicrotask(() => pauseWhile.next(false));
      },
      complete: resolve,
      error: reject,
    });
  });
  port1.close();
  expect(seen).toBe(text);
});
