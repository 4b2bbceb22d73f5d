import { BehaviorSubject, filter, firstValueFrom, NEVER, of, Subject, tap, throwError } from 'rxjs';
import { invokeWithResponseStream, type InvokeInput, type LambdaStreamEvent } from 'rx-lambda-stream';
import { scripted } from 'rx-lambda-stream/local';
import { describe, expect, it } from 'vitest';
import { outcomeOf, typesOf } from '../support/collect.js';
import { httpHandlers, startLive } from '../support/live.js';
import { expectNoStrays } from '../support/no-strays.js';
import { stalled } from '../support/stalled.js';

expectNoStrays();

const piece = Uint8Array.from({ length: 64 * 1024 }, (_, i) => (i * 13) & 255);

/** Writes without end, as fast as it is read. */
async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) {
    yield piece;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe.each(httpHandlers)('with %s', (_name, requestHandler) => {
  it('a paused stream stalls the server’s writes, and resuming loses nothing', async () => {
    const { local, client } = await startLive({ f: endless }, { requestHandler: requestHandler() });
    const pauseWhile = new BehaviorSubject(false);
    let received = 0;
    let wrong = 0;
    let wasPaused = false;
    const subscription = invokeWithResponseStream(client, { FunctionName: 'f' }, { pauseWhile }).subscribe((event) => {
      if (event.type !== 'chunk') return;
      for (const byte of event.payload) {
        if (byte !== piece[received % piece.length]) wrong++;
        received++;
      }
      if (received < 1_000_000 || wasPaused) return;
      wasPaused = true;
      pauseWhile.next(true);
    });
    await stalled(await local.request(0));
    const whenPaused = received;
    const written = await stalled(await local.request(0));
    expect(received).toBe(whenPaused);
    expect(received).toBeLessThan(1_300_000);
    expect(written).toBeLessThan(20_000_000);

    pauseWhile.next(false);
    while (received < whenPaused + 5_000_000) await new Promise((resolve) => setImmediate(resolve));
    expect(wrong).toBe(0);
    subscription.unsubscribe();
    expect(await local.requests[0]?.closedEarly).toBe(true);
  });

  it('a stream that begins paused delivers its head and nothing more', async () => {
    const { local, client } = await startLive({ f: endless }, { requestHandler: requestHandler() });
    const events: LambdaStreamEvent[] = [];
    const subscription = invokeWithResponseStream(client, { FunctionName: 'f' }, { pauseWhile: of(true) }).subscribe(
      (event) => events.push(event),
    );
    await stalled(await local.request(0));
    expect(typesOf(events)).toBe('head');
    subscription.unsubscribe();
    expect(await local.requests[0]?.closedEarly).toBe(true);
  });

  it('pausing again and again delivers every byte in order', async () => {
    const text = Array.from({ length: 3_000 }, (_, i) => `${i};`).join('');
    const { client } = await startLive(
      {
        f: async function* () {
          for (let at = 0; at < text.length; at += 37) {
            yield text.slice(at, at + 37);
            if (at % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
          }
        },
      },
      { requestHandler: requestHandler() },
    );
    const pauseWhile = new Subject<boolean>();
    let seen = '';
    await new Promise<void>((resolve, reject) => {
      invokeWithResponseStream(client, { FunctionName: 'f' }, { pauseWhile }).subscribe({
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
    const paused = firstValueFrom(pauseWhile.pipe(filter(Boolean)));
    const { local, client } = await startLive(
      { f: scripted([{ chunk: 'a' }, { waitFor: paused }, 'reset']) },
      { requestHandler: requestHandler() },
    );
    const events = invokeWithResponseStream(client, { FunctionName: 'f' }, { pauseWhile });
    const result = outcomeOf(events.pipe(tap(({ type }) => type === 'chunk' && pauseWhile.next(true))));
    await (
      await local.request(0)
    ).closed;
    pauseWhile.next(false);
    expect((await result).error).toMatchObject({ code: 'truncated' });
  });
});

it('pauseWhile is subscribed to with the stream, and unsubscribed from with it', async () => {
  const { client } = await startLive({ f: scripted([{ chunk: 'a' }, { complete: {} }]) });
  const pauseWhile = new Subject<boolean>();
  const stream = invokeWithResponseStream(client, { FunctionName: 'f' }, { pauseWhile });
  expect(pauseWhile.observed).toBe(false);
  const subscription = stream.subscribe();
  expect(pauseWhile.observed).toBe(true);
  subscription.unsubscribe();
  expect(pauseWhile.observed).toBe(false);
  expect((await outcomeOf(stream)).completed).toBe(true);
  expect(pauseWhile.observed).toBe(false);
});

it('pauseWhile’s error becomes the stream’s, and closes the connection', async () => {
  const { local, client } = await startLive({ f: scripted(['flush', 'stall']) });
  const failing = new Subject<boolean>();
  const result = outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f' }, { pauseWhile: failing }));
  await local.request(0);
  failing.error(new Error('no more'));
  expect((await result).error).toEqual(new Error('no more'));
  expect(await local.requests[0]?.closedEarly).toBe(true);
});

it('pauseWhile that fails at once, or never says anything', async () => {
  const { client } = await startLive({ f: scripted([{ complete: {} }]) });
  const input = { FunctionName: 'f' };
  let asked = 0;
  const counted = (): InvokeInput => {
    asked++;
    return input;
  };
  const early = throwError(() => new Error('at once'));
  expect((await outcomeOf(invokeWithResponseStream(client, counted, { pauseWhile: early }))).error).toEqual(
    new Error('at once'),
  );
  expect(asked).toBe(0);
  expect((await outcomeOf(invokeWithResponseStream(client, input, { pauseWhile: NEVER }))).completed).toBe(true);
});
