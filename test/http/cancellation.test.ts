import { Subject, concatMap, lastValueFrom, range, switchMap, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { fetchResponseStream } from 'rx-lambda-stream/http';
import { collectGarbage } from '../support/collect-garbage.js';
import { ofType, outcomeOf, subscribeUntil, textOf, typesOf } from '../support/collect.js';
import { startHttp, writeAll } from '../support/live-http.js';
import { gate } from '../support/live.js';
import { expectNoStrays } from '../support/no-strays.js';

expectNoStrays();

/** All ways to name a request: what Node's fetch holds on to differs. */
const targets: [string, (url: string) => Parameters<typeof fetchResponseStream>[0]][] = [
  ['a URL', (url) => url],
  ['a Request', (url) => new Request(url, { method: 'POST', body: 'ask' })],
  ['a function', (url) => () => new Request(url, { method: 'POST', body: 'ask' })],
];

const moments = [
  ['', () => Promise.resolve()],
  [' after a garbage collection', collectGarbage],
] as const;

it('unsubscribing cancels the body of a `fetch` that does not heed its signal', () =>
  new Promise<void>((resolve) => {
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(Uint8Array.of(97)),
      cancel: () => resolve(),
    });
    const deaf = (): Promise<Response> => Promise.resolve(new Response(body));
    fetchResponseStream('http://127.0.0.1/', { fetch: deaf }).pipe(take(3)).subscribe();
  }));

describe.each(targets)('with %s', (_target, targetOf) => {
  describe.each(moments)('unsubscribing%s closes the connection', (_when, wait) => {
    it('before the headers', async () => {
      const server = await startHttp(() => undefined);
      const subscription = fetchResponseStream(targetOf(server.url)).subscribe();
      const { closedEarly } = await server.request(0);
      await wait();
      subscription.unsubscribe();
      expect(await closedEarly).toBe(true);
    });

    it('between the headers and the first byte', async () => {
      const server = await startHttp((response) => response.flushHeaders());
      const { subscription, events, errors } = await subscribeUntil(
        fetchResponseStream(targetOf(server.url)),
        ofType('http-head'),
      );
      await wait();
      subscription.unsubscribe();
      expect(await server.requests[0]?.closedEarly).toBe(true);
      expect([typesOf(events), errors]).toEqual(['head http-head', []]);
    });

    it('with a read pending and the stream idle', async () => {
      const server = await startHttp((response) => response.write('one'));
      const { subscription, events, errors } = await subscribeUntil(
        fetchResponseStream(targetOf(server.url)),
        ofType('chunk'),
      );
      await wait();
      subscription.unsubscribe();
      expect(await server.requests[0]?.closedEarly).toBe(true);
      expect([textOf(events), errors]).toEqual(['one', []]);
    });

    it('while the server writes without end', async () => {
      const server = await startHttp((response) => writeAll(response, endless()));
      const { subscription, events, errors } = await subscribeUntil(
        fetchResponseStream(targetOf(server.url)),
        ofType('chunk'),
      );
      await wait();
      const before = events.length;
      subscription.unsubscribe();
      expect(await server.requests[0]?.closedEarly).toBe(true);
      expect([events.length, errors]).toEqual([before, []]);
    });

    it('while the body of a failed response arrives', async () => {
      const server = await startHttp((response) => response.writeHead(500).write('so far'));
      const { subscription, events, errors } = await subscribeUntil(
        fetchResponseStream(targetOf(server.url)),
        ofType('head'),
      );
      await wait();
      subscription.unsubscribe();
      expect(await server.requests[0]?.closedEarly).toBe(true);
      expect([typesOf(events), errors]).toEqual(['head', []]);
    });
  });

  it('unsubscribing at each event, from within it, delivers no more and closes the connection', async () => {
    for (const count of [1, 2, 3]) {
      const server = await startHttp((response) => response.write('one'));
      const { values, completed } = await outcomeOf(fetchResponseStream(targetOf(server.url)).pipe(take(count)));
      expect([typesOf(values), completed]).toEqual(['head http-head chunk'.split(' ').slice(0, count).join(' '), true]);
      expect(await server.requests[0]?.closedEarly).toBe(true);
    }
  });
});

function* endless(): Generator<string> {
  for (;;) yield 'more ';
}

it('unsubscribing before the request is made sends nothing', async () => {
  const server = await startHttp((response) => response.end());
  const { opened, open } = gate();
  let asked = 0;
  const subscription = fetchResponseStream(async () => {
    asked++;
    await opened;
    return new Request(`${server.url}cancelled`);
  }).subscribe();
  expect(asked).toBe(1);
  subscription.unsubscribe();
  open();
  await outcomeOf(fetchResponseStream(`${server.url}sent`));
  expect(server.requests.map(({ url }) => url)).toEqual(['/sent']);
});

it('a request that cannot be made after unsubscribing is nobody’s error', async () => {
  const { opened, open } = gate();
  const failing = fetchResponseStream(async () => {
    await opened;
    throw new Error('too late');
  });
  failing.subscribe().unsubscribe();
  open();
  await collectGarbage();
});

it('a fetch that answers in spite of the signal has its body closed', async () => {
  const server = await startHttp((response) => response.write('one'));
  const { opened, open } = gate();
  const subscription = fetchResponseStream(server.url, {
    fetch: async (request) => {
      const response = await fetch(request);
      await opened;
      return response;
    },
  }).subscribe({ next: () => expect.unreachable() });
  const { closedEarly } = await server.request(0);
  subscription.unsubscribe();
  open();
  expect(await closedEarly).toBe(true);
});

it('take(1) two hundred times leaves no connection open', async () => {
  const server = await startHttp((response) => response.write('one'));
  const firsts = await lastValueFrom(
    range(200).pipe(
      concatMap(() => fetchResponseStream(server.url).pipe(take(1))),
      toArray(),
    ),
  );
  expect(typesOf(firsts)).toBe(Array(200).fill('head').join(' '));
  expect(await Promise.all(server.requests.map(({ closedEarly }) => closedEarly))).toEqual(Array(200).fill(true));
  while ((await server.openConnections()) > 0) await new Promise((resolve) => setImmediate(resolve));
});

it('switchMap over twenty requests leaves only the last one open', async () => {
  const server = await startHttp((response, { url }) => {
    if (url === '/19') response.end('the last');
    else response.write('outdated');
  });
  const inputs = new Subject<number>();
  const result = outcomeOf(inputs.pipe(switchMap((n) => fetchResponseStream(`${server.url}${n}`))));
  for (let n = 0; n < 20; n++) {
    inputs.next(n);
    await server.request(n);
  }
  inputs.complete();
  expect(textOf((await result).values)).toMatch(/the last$/);
  const ends = await Promise.all(server.requests.map(({ closedEarly }) => closedEarly));
  expect(ends).toEqual([...Array<boolean>(19).fill(true), false]);
});

it('a complete response keeps its connection for the next request', async () => {
  const server = await startHttp((response) => response.end('all'));
  for (let i = 0; i < 5; i++) expect((await outcomeOf(fetchResponseStream(server.url))).completed).toBe(true);
  // Two, where a request comes before Node's fetch has taken the last connection back.
  expect(await server.openConnections()).toBeLessThanOrEqual(2);
});

describe('the Request’s own signal', () => {
  it.each(moments)('ends the stream with its reason%s, and closes the connection', async (_when, wait) => {
    const server = await startHttp((response) => response.write('one'));
    for (const isDirect of [true, false]) {
      const controller = new AbortController();
      const make = (): Request => new Request(server.url, { signal: controller.signal });
      const stream = fetchResponseStream(isDirect ? make() : make);
      const errors: unknown[] = [];
      await new Promise<void>((resolve) => {
        stream.subscribe({
          next: ({ type }) => type === 'chunk' && resolve(),
          error: (error: unknown) => errors.push(error),
        });
      });
      await wait();
      const reason = new Error('enough');
      controller.abort(reason);
      expect(errors).toEqual([reason]);
    }
    expect(await Promise.all(server.requests.map(({ closedEarly }) => closedEarly))).toEqual([true, true]);
  });

  it('ends it before the headers too, and sends nothing where it was aborted before', async () => {
    const server = await startHttp(() => undefined);
    const controller = new AbortController();
    const request = new Request(server.url, { signal: controller.signal });
    const result = outcomeOf(fetchResponseStream(request));
    const { closedEarly } = await server.request(0);
    controller.abort();
    expect((await result).error).toMatchObject({ name: 'AbortError' });
    expect(await closedEarly).toBe(true);
    expect((await outcomeOf(fetchResponseStream(request))).error).toMatchObject({ name: 'AbortError' });
    expect(server.requests).toHaveLength(1);
  });

  it('is not listened to any more when the stream is over', async () => {
    const server = await startHttp((response) => response.end());
    const { signal } = new AbortController();
    let listeners = 0;
    const request = new Request(server.url);
    Object.defineProperty(request, 'signal', {
      value: {
        aborted: false,
        addEventListener: () => listeners++,
        removeEventListener: () => listeners--,
      },
    });
    expect(signal.aborted).toBe(false);
    const stream = fetchResponseStream(() => request, { fetch: (_request, init) => fetch(server.url, init) });
    expect((await outcomeOf(stream)).completed).toBe(true);
    expect(listeners).toBe(0);
  });

  it('may be one of React Native, which has neither reason nor throwIfAborted', async () => {
    const abort: (() => void)[] = [];
    const signal = {
      aborted: false,
      addEventListener: (_type: string, listener: () => void) => abort.push(listener),
      removeEventListener: () => undefined,
    };
    const request = Object.defineProperty(new Request('http://127.0.0.1:1/'), 'signal', { value: signal });
    const result = outcomeOf(fetchResponseStream(() => request, { fetch: () => new Promise(() => undefined) }));
    while (abort.length === 0) await new Promise((resolve) => setImmediate(resolve));
    abort[0]?.();
    expect((await result).error).toMatchObject({ name: 'AbortError', message: 'The request was aborted' });
  });
});
