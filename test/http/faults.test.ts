/**
 * Each way in which a response goes wrong, at each position: what was delivered, what the error is, that there is one
 * end and no more, and that nothing is left behind.
 */
import { gzipSync } from 'node:zlib';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { isLambdaStreamError, type LambdaStreamEvent } from 'rx-lambda-stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fetchResponseStream } from 'rx-lambda-stream/http';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';
import { refusingUrl } from '../support/live-http.js';
import { expectNoStrays } from '../support/no-strays.js';

expectNoStrays();

/** What is sent in turn; `wait` lets the client read what was sent before. */
type Step = string | Uint8Array;

/** A server that sends exactly these bytes as its answer, whatever HTTP says of them. */
async function startRaw(
  steps: readonly Step[],
): Promise<{ url: string; requests: () => number; closed: Promise<void> }> {
  let requests = 0;
  let close!: () => void;
  const closed = new Promise<void>((resolve) => (close = resolve));
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined).on('close', () => close());
    socket.once('data', () => {
      requests++;
      void play();
    });
    async function play(): Promise<void> {
      for (const step of steps) {
        if (step === 'end') socket.end();
        else if (step === 'reset') socket.resetAndDestroy();
        else if (step === 'wait') await new Promise((resolve) => setTimeout(resolve, 20));
        else await new Promise((resolve) => socket.write(step, resolve));
      }
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests: () => requests, closed };
}

const head = (headers: string): string => `HTTP/1.1 200 OK\r\nX-Amzn-RequestId: r-1\r\n${headers}\r\n\r\n`;
const chunked = head('Transfer-Encoding: chunked');
const sized = head('Content-Length: 10');
const zipped = gzipSync('x'.repeat(1_000)).subarray(0, 15);

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
/**
 * Node before 22.23 and 24.21 takes a chunked body that is cut for a complete one where the response says `Connection:
 * close`. Nothing that `fetch` shows tells the two apart: docs/http-streams.md says so.
 */
const takesCutForEnd = (major === 22 && minor < 23) || (major === 24 && minor < 21);

/** What the server has sent when it happens, and what the subscriber has seen by then. */
const positions: Record<string, { sent: readonly Step[]; seen: string; bytes?: number; complete?: true }> = {
  'before the headers': { sent: [], seen: '' },
  'inside the headers': { sent: [chunked.slice(0, 30)], seen: '' },
  'after the headers': { sent: [chunked], seen: 'head http-head' },
  'inside an HTTP chunk': { sent: [chunked, '5\r\non'], seen: 'head http-head chunk', bytes: 2 },
  'after an HTTP chunk': { sent: [chunked, '3\r\none\r\n'], seen: 'head http-head chunk', bytes: 3 },
  'inside the last HTTP chunk': { sent: [chunked, '3\r\none\r\n0\r\n'], seen: 'head http-head chunk', bytes: 3 },
  'after the headers of a body with a length': { sent: [sized], seen: 'head http-head' },
  'inside a body with a length': { sent: [sized, 'one'], seen: 'head http-head chunk', bytes: 3 },
  'inside a compressed body': {
    sent: [head(`Content-Encoding: gzip\r\nContent-Length: 500`), zipped],
    seen: 'head http-head',
  },
  'inside HTTP chunks, on a connection that was to be closed': {
    sent: [head('Transfer-Encoding: chunked\r\nConnection: close'), '5\r\non'],
    ...(takesCutForEnd ? { seen: 'head http-head chunk complete', complete: true } : { seen: 'head http-head chunk' }),
    bytes: 2,
  },
  'after a body with a length': { sent: [sized, '0123456789'], seen: 'head http-head chunk complete', complete: true },
  'after the last HTTP chunk': {
    sent: [chunked, '3\r\none\r\n0\r\n\r\n'],
    seen: 'head http-head chunk complete',
    complete: true,
  },
};

const cases = Object.entries(positions).flatMap(([where, position]) =>
  (['reset', 'end'] as const).map((failure) => ({ where, failure, ...position })),
);

it.each(cases)('a connection with $failure $where', async ({ sent, seen, failure, bytes = 0, complete }) => {
  const server = await startRaw([...sent, 'wait', failure]);
  let ends = 0;
  const values: LambdaStreamEvent[] = [];
  const error = await new Promise<unknown>((resolve) => {
    fetchResponseStream(server.url).subscribe({
      next: (event) => values.push(event),
      error(reason: unknown) {
        ends++;
        resolve(reason);
      },
      complete() {
        ends++;
        resolve(undefined);
      },
    });
  });
  await server.closed;
  await new Promise((resolve) => setImmediate(resolve));
  expect(ends).toBe(1);
  expect(server.requests()).toBe(1);
  // A cut compressed body may have given some of its bytes by then.
  expect(typesOf(values).replace(zipped === sent[1] ? / chunk/g : '', '')).toBe(seen);
  if (complete) expect(error).toBeUndefined();
  else if (seen === '') expect([isLambdaStreamError(error), error]).toEqual([false, expect.any(TypeError)]);
  else if (sent[1] === zipped) expect(error).toMatchObject({ code: 'truncated' });
  else {
    expect(error).toMatchObject({ code: 'truncated', chunks: bytes > 0 ? 1 : 0, bytes, requestId: 'r-1' });
    expect((error as Error).message).toContain('The body of the HTTP response broke before its end');
    expect((error as Error).cause).toBeInstanceOf(Error);
  }
});

describe('a response that is not HTTP', () => {
  it.each([
    ['no status line', ['noise '.repeat(50), 'wait', 'end']],
    ['a chunk length that is no number', [chunked, 'zz\r\n', 'wait']],
    ['a length and chunks', [head('Content-Length: 3\r\nTransfer-Encoding: chunked'), '3\r\none\r\n0\r\n\r\n', 'wait']],
  ] as [string, Step[]][])('%s never completes', async (_what, steps) => {
    const { error, completed } = await outcomeOf(fetchResponseStream((await startRaw([...steps, 'end'])).url));
    expect(completed).toBe(false);
    expect(error).toBeInstanceOf(Error);
  });
});

it.each(['end', 'reset'])(
  'what HTTP cannot tell: a body that ends with its connection is complete, with %s',
  async (how) => {
    const { values, completed } = await outcomeOf(
      fetchResponseStream((await startRaw([head('Connection: close'), 'half of', 'wait', how])).url),
    );
    expect([textOf(values), completed]).toEqual(['half of', true]);
  },
);

it('the body of a failed response that is cut is the status’ error, with what arrived', async () => {
  const failed = chunked.replace('200 OK', '503 Busy');
  const { values, error } = await outcomeOf(
    fetchResponseStream((await startRaw([failed, '5\r\nbusy', 'wait', 'reset'])).url),
  );
  expect(typesOf(values)).toBe('head');
  expect(error).toMatchObject({ code: 'http-status', statusCode: 503, body: new TextEncoder().encode('busy') });
});

it('a refused connection is the error of fetch, as it is', async () => {
  const { error } = await outcomeOf(fetchResponseStream(await refusingUrl()));
  expect(error).toMatchObject({ name: 'TypeError', message: 'fetch failed', cause: { code: 'ECONNREFUSED' } });
});
