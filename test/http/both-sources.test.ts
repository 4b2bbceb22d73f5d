/** Every operator over both sources: what it makes of a function's HTTP response does not depend on the way it came. */
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
  type HttpStatusError,
  type InvocationReport,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { fetchResponseStream } from 'rx-lambda-stream/http';
import { HttpResponseStream, streamifyResponse } from 'rx-lambda-stream/local';
import { combineLatest, defer, from, map, mergeMap, NEVER, Observable, of, takeLast, toArray } from 'rxjs';
import { expect, it } from 'vitest';
import { outcomeOf } from '../support/collect.js';
import { startHttp } from '../support/live-http.js';
import { startLive } from '../support/live.js';
import { expectNoStrays } from '../support/no-strays.js';

expectNoStrays();

/** One function's responses, by their name. The pieces are cut within characters, lines and events. */
const responses: Record<
  string,
  { statusCode: number; headers: Record<string, string>; cookies: string[]; pieces: string[] }
> = {
  ndjson: {
    statusCode: 201,
    headers: { 'content-type': 'application/x-ndjson', 'x-rows': '3' },
    cookies: ['a=1', 'b=2'],
    pieces: ['{"i":0}\n{"i"', ':1}\r\n\n{"', 'i":2}'],
  },
  sse: {
    statusCode: 200,
    headers: { 'content-type': 'text/event-stream' },
    cookies: [],
    pieces: ['id: 1\ndata: €', '\n\n: ping\n\nevent: e\nda', 'ta: two\n\n'],
  },
  busy: {
    statusCode: 503,
    headers: { 'content-type': 'text/plain', 'retry-after': '1' },
    cookies: [],
    pieces: ['bu', 'sy'],
  },
  empty: { statusCode: 204, headers: {}, cookies: [], pieces: [] },
};

/** Makes the stream anew, for an operator that paces it. */
type Open = (pauseWhile?: Observable<boolean>) => Observable<LambdaStreamEvent>;
type Source = (name: string, failOnStatus: boolean) => Open;

/** The two sources, over a real endpoint and a real server. */
async function startBoth(): Promise<Record<'SDK' | 'HTTP', Source>> {
  const { client } = await startLive({
    f: streamifyResponse(async (event, responseStream) => {
      const { statusCode, headers, cookies, pieces } = responses[(event as { name: string }).name]!;
      const stream = HttpResponseStream.from(responseStream, { statusCode, headers, cookies });
      stream.write('');
      for (const piece of pieces) {
        stream.write(piece);
        await new Promise((resolve) => setImmediate(resolve));
      }
      stream.end();
    }),
  });
  const server = await startHttp(async (response, { url }) => {
    const { statusCode, headers, cookies, pieces } = responses[url.slice(1)]!;
    response.sendDate = false;
    for (const [header, value] of Object.entries(headers)) response.setHeader(header, value);
    if (cookies.length > 0) response.setHeader('set-cookie', cookies);
    response.writeHead(statusCode);
    for (const piece of pieces) {
      response.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  });
  return {
    SDK:
      (name, failOnStatus) =>
      (pauseWhile = NEVER) =>
        invokeWithResponseStream(client, { FunctionName: 'f', Payload: { name } }, { pauseWhile }).pipe(
          decodeHttpResponse({ failOnStatus }),
        ),
    HTTP:
      (name, failOnStatus) =>
      (pauseWhile = NEVER) =>
        fetchResponseStream(`${server.url}${name}`, { failOnStatus, pauseWhile }),
  };
}

/** Headers of the transport, which are there or not whatever the function says. */
const ofTransport = new Set(['connection', 'keep-alive', 'transfer-encoding', 'date', 'content-length']);
const withoutTransport = (headers: Readonly<Record<string, string>>): object =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !ofTransport.has(name)));

/** The events as a log: chunks joined, since their cuts carry no meaning; of a head what every response has. */
function logOf(values: readonly unknown[]): unknown[] {
  const log: unknown[] = [];
  let text = '';
  const decoder = new TextDecoder();
  const flush = (): void => {
    if (text !== '') log.push(`chunks ${text}`);
    text = '';
  };
  for (const value of values) {
    const event = value as LambdaStreamEvent;
    if (Object(event) === event && event.type === 'chunk') {
      text += decoder.decode(event.payload, { stream: true });
      continue;
    }
    flush();
    if (Object(event) === event && event.type === 'head') log.push('head');
    else if (Object(event) === event && event.type === 'http-head') {
      log.push({ ...event, headers: withoutTransport(event.headers) });
    } else log.push(value);
  }
  flush();
  return log;
}

const operators: Record<string, (source: Observable<LambdaStreamEvent>, open: Open) => Observable<unknown>> = {
  none: (source) => source,
  decodeHttpResponse: (source) => source.pipe(decodeHttpResponse()),
  // Joined, since where the text is cut carries no meaning.
  decodeText: (source) =>
    source.pipe(
      collectResponse(),
      mergeMap(({ bytes }) => of(bytes).pipe(decodeText())),
    ),
  splitLines: (source) => source.pipe(splitLines()),
  parseNdjson: (source) => source.pipe(parseNdjson({ onInvalid: 'skip' })),
  parseSse: (source) => source.pipe(parseSse()),
  collectResponse: (source) =>
    source.pipe(
      collectResponse(),
      mergeMap((response) => [response.text(), `status ${response.httpHead?.statusCode}`]),
    ),
  // The last one has everything in it; how many there are before it is a matter of time.
  toSnapshots: (source) =>
    source.pipe(
      toSnapshots(),
      takeLast(1),
      map((last) => ({ status: last.status, text: last.text, error: last.status === 'failed' && codeOf(last.error) })),
    ),
  retryInvocation: (source) => source.pipe(retryInvocation({ maxAttempts: 1 })),
  shareInvocation: (source) =>
    defer(() => {
      const shared = source.pipe(shareInvocation({ replay: 'all' }));
      return combineLatest([shared.pipe(toArray()), shared.pipe(toArray())]).pipe(mergeMap((both) => both.map(logOf)));
    }),
  toReadableStream: (_source, open) => defer(() => from(toReadableStream(open))),
  toAsyncIterable: (_source, open) => defer(() => from(toAsyncIterable(open))),
  // The report behind the events: times apart, which are those of the machine.
  observeInvocation: (source) =>
    new Observable((subscriber) =>
      source
        .pipe(observeInvocation((report) => subscriber.next(withoutTimes(report))))
        .subscribe({ error: () => subscriber.complete(), complete: () => subscriber.complete() }),
    ),
  createFlowControl: (source) =>
    defer(() => {
      const flow = createFlowControl();
      return source.pipe(
        splitLines(),
        flow.mergeMap((line) => of(line), 1),
      );
    }),
};

/** A report as far as it is the same whatever the way. */
function withoutTimes({ outcome, attempts, chunks, bytes, error }: InvocationReport): object {
  return { outcome, attempts, hasChunks: chunks > 0, bytes, error: codeOf(error) };
}

const codeOf = (error: unknown): string | undefined => (error as { code?: string } | undefined)?.code;

it('every operator makes the same of both', async () => {
  const sources = await startBoth();
  const golden: Record<string, unknown> = {};
  for (const [operator, apply] of Object.entries(operators)) {
    for (const name of Object.keys(responses)) {
      for (const failOnStatus of [false, true]) {
        const what = `${operator}, ${name}${failOnStatus ? ', failOnStatus' : ''}`;
        const [sdk, http] = await Promise.all(
          Object.values(sources).map(async (source) => {
            const open = source(name, failOnStatus);
            const { values, error, completed } = await outcomeOf(
              apply(
                defer(() => open()),
                open,
              ),
            );
            return { log: logOf(values), end: completed ? 'completed' : endOf(error) };
          }),
        );
        expect({ what, ...http }).toEqual({ what, ...sdk });
        golden[what] = http;
      }
    }
  }
  await expect(`${JSON.stringify(golden, null, 2)}\n`).toMatchFileSnapshot('both-sources.golden.json');
});

/** An error as far as it is the same whatever the way: the class, and what the function said. */
function endOf(error: unknown): object {
  const { name, statusCode, headers, body } = error as Partial<HttpStatusError> & Error;
  return { name, statusCode, headers: headers && withoutTransport(headers), body: new TextDecoder().decode(body) };
}
