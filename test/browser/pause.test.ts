import { BehaviorSubject, Subject } from 'rxjs';
import { invokeWithResponseStream, type LambdaStreamEvent } from 'rx-lambda-stream';
import { expect, it } from 'vitest';
import { controlFunction, createClient, defineFunction } from '../support/browser-lambda.js';
import { isFirefox } from '../support/browser-platform.js';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';

const pieceBytes = 64 * 1024;
const pieces = 2_500;
const input = (FunctionName: string) => ({ FunctionName, Payload: { pieces } });

/**
 * What Chromium takes from the network ahead of a page that does not read: about 64 MiB, and the sockets some more
 * (measured without any test tool). The server stalls only past it. Firefox takes all there is.
 */
const maxAheadBytes = isFirefox ? Infinity : 110_000_000;

it('a paused stream stalls the server’s writes, and resuming loses nothing', { timeout: 60_000 }, async () => {
  const { requests } = controlFunction('large-a');
  const index = (await requests(0)).length;
  const client = createClient();
  const pauseWhile = new BehaviorSubject(false);
  let received = 0;
  let wrong = 0;
  let hasPaused = false;
  const paused = new Subject<void>();
  const ended = new Promise<void>((resolve, reject) => {
    invokeWithResponseStream(client, input('large-a'), { pauseWhile }).subscribe({
      next(event) {
        if (event.type !== 'chunk') return;
        // A look at every byte would take longer than all the rest.
        for (let i = 0; i < event.payload.length; i += 997) {
          if (event.payload[i] !== ((((received + i) % pieceBytes) * 13) & 255)) wrong++;
        }
        received += event.payload.length;
        if (received < 1_000_000 || hasPaused) return;
        hasPaused = true;
        pauseWhile.next(true);
        paused.next();
      },
      complete: resolve,
      error: reject,
    });
  });
  await new Promise<void>((resolve) => paused.subscribe(() => resolve()));

  // How long is long enough? While another stream as large runs to its end, from the same server to the same page.
  let other = 0;
  await new Promise<void>((resolve, reject) => {
    invokeWithResponseStream(client, input('large-b')).subscribe({
      next: (event) => (other += event.type === 'chunk' ? event.payload.length : 0),
      complete: resolve,
      error: reject,
    });
  });
  expect(other).toBe(pieces * pieceBytes);
  expect(received).toBeLessThan(3_000_000);
  expect((await requests(index + 1))[index]?.bytesWritten).toBeLessThan(maxAheadBytes);

  pauseWhile.next(false);
  await ended;
  expect([received, wrong]).toEqual([pieces * pieceBytes, 0]);
});

it('a stream that begins paused delivers its head and nothing more until it is resumed', async () => {
  const { name } = await defineFunction([{ chunk: 'one' }, { chunk: 'two' }, { complete: {} }]);
  const client = createClient();
  const pauseWhile = new BehaviorSubject(true);
  const types: string[] = [];
  const head = new Subject<void>();
  const result = new Promise<void>((resolve, reject) => {
    invokeWithResponseStream(client, { FunctionName: name }, { pauseWhile }).subscribe({
      next: ({ type }) => {
        types.push(type);
        if (type === 'head') queueMicrotask(() => head.complete());
      },
      complete: resolve,
      error: reject,
    });
  });
  await new Promise<void>((resolve) => head.subscribe({ complete: resolve }));
  // A stream that is not paused passes it by.
  expect(typesOf((await outcomeOf(invokeWithResponseStream(client, { FunctionName: name }))).values)).toMatch(
    /complete$/,
  );
  expect(types).toEqual(['head']);
  pauseWhile.next(false);
  await result;
  expect(types.join(' ')).toBe('head chunk chunk complete');
});

it('pausing again and again delivers every byte in order', async () => {
  const text = Array.from({ length: 500 }, (_, i) => `${i};`).join('');
  const chunks = text.match(/.{1,37}/g) ?? [];
  const { name } = await defineFunction([...chunks.map((chunk) => ({ chunk })), { complete: {} }]);
  const pauseWhile = new Subject<boolean>();
  const source = invokeWithResponseStream(createClient(), { FunctionName: name }, { pauseWhile });
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => pauseWhile.next(false);
  const values = await new Promise<LambdaStreamEvent[]>((resolve, reject) => {
    const events: LambdaStreamEvent[] = [];
    source.subscribe({
      next(event) {
        events.push(event);
        pauseWhile.next(true);
        // Resumed in this turn or, by a message, in a later one.
        if (events.length % 2) port2.postMessage('resume');
        else queueMicrotask(() => pauseWhile.next(false));
      },
      complete: () => resolve(events),
      error: reject,
    });
  });
  port1.close();
  expect(textOf(values)).toBe(text);
});
