import { BehaviorSubject, NEVER, of, Subject, throwError } from 'rxjs';
import { createFlowControl, parseNdjson, type LambdaStreamEvent } from 'rx-lambda-stream';
import { expect, it } from 'vitest';
import { fetchResponseStream } from 'rx-lambda-stream/http';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';
import { reset, startHttp, writeAll } from '../support/live-http.js';
import { expectNoStrays } from '../support/no-strays.js';
import { stalled } from '../support/stalled.js';

expectNoStrays();

const piece = Uint8Array.from({ length: 64 * 1024 }, (_, i) => (i * 13) & 255);

function* endless(): Generator<Uint8Array> {
  for (;;) yield piece;
}

it('a paused stream stalls the server’s writes, and resuming loses nothing', async () => {
  const server = await startHttp((response) => writeAll(response, endless()));
  const pauseWhile = new BehaviorSubject(false);
  let received = 0;
  let wrong = 0;
  let wasPaused = false;
  const subscription = fetchResponseStream(server.url, { pauseWhile }).subscribe((event) => {
    if (event.type !== 'chunk') return;
    for (const byte of event.payload) {
      if (byte !== piece[received % piece.length]) wrong++;
      received++;
    }
    if (received < 1_000_000 || wasPaused) return;
    wasPaused = true;
    pauseWhile.next(true);
  });
  const request = await server.request(0);
  while (!pauseWhile.value) await new Promise((resolve) => setImmediate(resolve));
  const whenPaused = received;
  const written = await stalled(request);
  expect(received).toBe(whenPaused);
  expect(written).toBeLessThan(20_000_000);

  pauseWhile.next(false);
  while (received < whenPaused + 5_000_000) await new Promise((resolve) => setImmediate(resolve));
  expect(wrong).toBe(0);
  subscription.unsubscribe();
  expect(await request.closedEarly).toBe(true);
});

it('a stream that begins paused delivers its heads and nothing more', async () => {
  const server = await startHttp((response) => writeAll(response, endless()));
  const events: LambdaStreamEvent[] = [];
  const subscription = fetchResponseStream(server.url, { pauseWhile: of(true) }).subscribe((event) =>
    events.push(event),
  );
  const request = await server.request(0);
  expect(await stalled(request)).toBeLessThan(20_000_000);
  expect(typesOf(events)).toBe('head http-head');
  subscription.unsubscribe();
  expect(await request.closedEarly).toBe(true);
});

it('pausing again and again delivers every byte in order', async () => {
  const text = Array.from({ length: 3_000 }, (_, i) => `${i};`).join('');
  const server = await startHttp((response) => writeAll(response, text.match(/.{1,37}/g) ?? []));
  const pauseWhile = new Subject<boolean>();
  let seen = '';
  await new Promise<void>((resolve, reject) => {
    fetchResponseStream(server.url, { pauseWhile }).subscribe({
      next(event) {
        if (event.type !== 'chunk') return;
        seen += new TextDecoder().decode(event.payload);
        pauseWhile.next(true);
        if (seen.length % 2) setImmediate(() => pauseWhile.next(false));
        else void Promise.resolve().then(() => pauseWhile.next(false));
      },
      complete: resolve,
      error: reject,
    });
  });
  expect(seen).toBe(text);
});

it('a stream that is cut while it is paused says so', async () => {
  const pauseWhile = new BehaviorSubject(false);
  const server = await startHttp(async (response) => {
    response.write('one');
    while (!pauseWhile.value) await new Promise((resolve) => setImmediate(resolve));
    reset(response);
  });
  const result = outcomeOf(fetchResponseStream(server.url, { pauseWhile }));
  const { closedEarly } = await server.request(0);
  pauseWhile.next(true);
  await closedEarly;
  pauseWhile.next(false);
  expect((await result).error).toMatchObject({ code: 'truncated' });
});

it('createFlowControl bounds what slow work has taken from a fast server', async () => {
  const lines = Array.from({ length: 2_000 }, (_, i) => `{"i":${i}}\n`);
  const server = await startHttp((response) => writeAll(response, lines));
  const flow = createFlowControl({ highWaterMark: 4 });
  const seen: number[] = [];
  const { completed } = await outcomeOf(
    fetchResponseStream(server.url, { pauseWhile: flow.paused }).pipe(
      parseNdjson<{ i: number }>(),
      flow.mergeMap(async ({ i }) => {
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(i);
      }, 1),
    ),
  );
  expect([completed, seen]).toEqual([true, lines.map((_, i) => i)]);
});

it('pauseWhile is subscribed to with the stream, and unsubscribed from with it', async () => {
  const server = await startHttp((response) => response.end('all'));
  const pauseWhile = new Subject<boolean>();
  const stream = fetchResponseStream(server.url, { pauseWhile });
  expect(pauseWhile.observed).toBe(false);
  const subscription = stream.subscribe();
  expect(pauseWhile.observed).toBe(true);
  subscription.unsubscribe();
  expect(pauseWhile.observed).toBe(false);
  expect((await outcomeOf(stream)).completed).toBe(true);
  expect(pauseWhile.observed).toBe(false);
});

it('pauseWhile’s error becomes the stream’s, and closes the connection', async () => {
  const server = await startHttp((response) => response.write('one'));
  const failing = new Subject<boolean>();
  const result = outcomeOf(fetchResponseStream(server.url, { pauseWhile: failing }));
  const { closedEarly } = await server.request(0);
  failing.error(new Error('no more'));
  expect((await result).error).toEqual(new Error('no more'));
  expect(await closedEarly).toBe(true);
});

it('pauseWhile that fails at once asks for nothing; one that never says anything changes nothing', async () => {
  const server = await startHttp((response) => response.end('all'));
  const early = throwError(() => new Error('at once'));
  expect((await outcomeOf(fetchResponseStream(server.url, { pauseWhile: early }))).error).toEqual(new Error('at once'));
  const { values } = await outcomeOf(fetchResponseStream(server.url, { pauseWhile: NEVER }));
  expect(textOf(values)).toBe('all');
  expect(server.requests).toHaveLength(1);
});
