import { BehaviorSubject, concatMap, lastValueFrom, range, Subject, switchMap, take, toArray } from 'rxjs';
import { invokeWithResponseStream, retryInvocation } from 'rx-lambda-stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { controlFunction, createClient, defineFunction } from '../support/browser-lambda.js';
import { collectGarbage, showsHeadersAlone } from '../support/browser-platform.js';
import { ofType, outcomeOf, subscribeUntil, textOf, typesOf } from '../support/collect.js';

describe('unsubscribing, and the server sees the connection close,', () => {
  it('before the headers', async () => {
    const { name, requests, closedEarly } = await defineFunction(['stall']);
    const subscription = invokeWithResponseStream(createClient(), { FunctionName: name }).subscribe();
    await requests(1);
    subscription.unsubscribe();
    expect(await closedEarly(0)).toBe(true);
  });

  it('between the headers and the first frame', async () => {
    const { name, requests, closedEarly } = await defineFunction(['flush', 'stall']);
    const stream = invokeWithResponseStream(createClient(), { FunctionName: name });
    if (showsHeadersAlone) {
      const { subscription, events, errors } = await subscribeUntil(stream, ofType('head'));
      subscription.unsubscribe();
      expect([typesOf(events), errors]).toEqual(['head', []]);
    } else {
      const seen: unknown[] = [];
      const subscription = stream.subscribe({
        next: (event) => seen.push(event),
        error: (error: unknown) => seen.push(error),
      });
      // The headers leave with the request's arrival.
      await requests(1);
      subscription.unsubscribe();
      expect(seen).toEqual([]);
    }
    expect(await closedEarly(0)).toBe(true);
  });

  it('idle, with a read pending', async () => {
    const { name, closedEarly } = await defineFunction([{ chunk: 'one' }, 'stall']);
    const stream = invokeWithResponseStream(createClient(), { FunctionName: name });
    const { subscription, events, errors } = await subscribeUntil(stream, ofType('chunk'));
    subscription.unsubscribe();
    expect(await closedEarly(0)).toBe(true);
    expect([textOf(events), errors]).toEqual(['one', []]);
  });

  it('mid-stream, while the server has more to write than anyone will read', async () => {
    const { requests, closedEarly } = controlFunction('large-a');
    const index = (await requests(0)).length;
    const stream = invokeWithResponseStream(createClient(), { FunctionName: 'large-a', Payload: { pieces: 4_000 } });
    const { subscription, events, errors } = await subscribeUntil(stream, ofType('chunk'));
    const before = events.length;
    subscription.unsubscribe();
    expect(await closedEarly(index)).toBe(true);
    expect([events.length, errors]).toEqual([before, []]);
  });

  it('in the middle of a burst of frames, of which no more is delivered', async () => {
    const burst = Array.from({ length: 50 }, (_, i) => ({ chunk: `${i} ` }));
    const { name, closedEarly } = await defineFunction([{ batch: burst }, 'stall']);
    const source = invokeWithResponseStream(createClient(), { FunctionName: name });
    const { values, completed } = await outcomeOf(source.pipe(take(4)));
    expect([textOf(values), completed]).toEqual(['0 1 2 ', true]);
    expect(await closedEarly(0)).toBe(true);
  });

  it('after garbage collections, before the headers and with a read pending', async () => {
    const silent = await defineFunction(['stall']);
    const waiting = invokeWithResponseStream(createClient(), { FunctionName: silent.name }).subscribe();
    await silent.requests(1);
    await collectGarbage();
    waiting.unsubscribe();
    expect(await silent.closedEarly(0)).toBe(true);

    const { name, closedEarly } = await defineFunction([{ chunk: 'one' }, 'stall']);
    const stream = invokeWithResponseStream(createClient(), { FunctionName: name });
    const { subscription, events, errors } = await subscribeUntil(stream, ofType('chunk'));
    await collectGarbage();
    subscription.unsubscribe();
    expect(await closedEarly(0)).toBe(true);
    expect([typesOf(events), errors]).toEqual(['head chunk', []]);
  });

  it('paused', async () => {
    const { name, closedEarly } = await defineFunction([{ chunk: 'one' }, 'stall']);
    const pauseWhile = new BehaviorSubject(false);
    const stream = invokeWithResponseStream(createClient(), { FunctionName: name }, { pauseWhile });
    const { subscription, errors } = await subscribeUntil(stream, ofType('chunk'));
    pauseWhile.next(true);
    subscription.unsubscribe();
    expect(await closedEarly(0)).toBe(true);
    expect(errors).toEqual([]);
  });

  it('paused since before its first byte', async () => {
    const { name, closedEarly } = await defineFunction([{ chunk: 'one' }, 'stall']);
    const pauseWhile = new BehaviorSubject(true);
    const stream = invokeWithResponseStream(createClient(), { FunctionName: name }, { pauseWhile });
    const { subscription, events } = await subscribeUntil(stream, ofType('head'));
    subscription.unsubscribe();
    expect(await closedEarly(0)).toBe(true);
    expect(typesOf(events)).toBe('head');
  });
});

describe('unsubscribing sends nothing more', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('before the request is signed', async () => {
    const { name, requests } = await defineFunction([{ complete: {} }]);
    const identity = { accessKeyId: 'a', secretAccessKey: 'b' };
    const asked = new Subject<void>();
    const signed = new Subject<typeof identity>();
    const client = createClient({
      credentials: () => {
        const credentials = lastValueFrom(signed);
        asked.next();
        return credentials;
      },
    });
    await new Promise<void>((resolve) => {
      asked.pipe(take(1)).subscribe(() => resolve());
      const subscription = invokeWithResponseStream(client, { FunctionName: name, Payload: 'cancelled' }).subscribe();
      asked.pipe(take(1)).subscribe(() => subscription.unsubscribe());
    });
    signed.next(identity);
    signed.complete();
    expect((await outcomeOf(invokeWithResponseStream(client, { FunctionName: name, Payload: 'sent' }))).completed).toBe(
      true,
    );
    expect((await requests(1)).map(({ payload }) => payload)).toEqual(['sent']);
  });

  it('during a backoff, and leaves no timer', async () => {
    const { name, requests } = await defineFunction(
      [{ httpError: { statusCode: 429, name: 'TooManyRequestsException' } }],
      [{ complete: {} }],
    );
    const client = createClient();
    // RxJS waits with intervals; nothing else here does.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const source = invokeWithResponseStream(client, { FunctionName: name, Payload: 'first' });
    const { subscription } = await subscribeUntil(source.pipe(retryInvocation({ jitter: 'none' })), ofType('retry'));
    expect(vi.getTimerCount()).toBe(1);
    subscription.unsubscribe();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(60_000);
    await outcomeOf(invokeWithResponseStream(client, { FunctionName: name, Payload: 'marker' }));
    expect((await requests(0)).map(({ payload }) => payload)).toEqual(['first', 'marker']);
  });
});

it('take(1) fifty times leaves room for one more call on Chromium’s six connections', async () => {
  const { name, closedEarly } = await defineFunction([{ chunk: 'one' }, 'stall']);
  const stream = invokeWithResponseStream(createClient(), { FunctionName: name });
  const firsts = await lastValueFrom(
    range(50).pipe(
      concatMap(() => stream.pipe(take(1))),
      toArray(),
    ),
  );
  expect(typesOf(firsts)).toBe(Array(50).fill('head').join(' '));
  const { values } = await outcomeOf(stream.pipe(take(2)));
  expect(typesOf(values)).toBe('head chunk');
  for (let index = 0; index < 51; index++) expect(await closedEarly(index)).toBe(true);
});

it('switchMap over twenty inputs leaves only the last one open', async () => {
  const outdated = Array.from({ length: 19 }, () => [{ chunk: 'outdated' }, 'stall'] as const);
  const { name, requests, closedEarly } = await defineFunction(...outdated, [{ chunk: 'the last' }, { complete: {} }]);
  const client = createClient();
  const inputs = new Subject<number>();
  const result = outcomeOf(
    inputs.pipe(switchMap((n) => invokeWithResponseStream(client, { FunctionName: name, Payload: `${n}` }))),
  );
  for (let n = 0; n < 20; n++) {
    inputs.next(n);
    await requests(n + 1);
  }
  inputs.complete();
  expect(textOf((await result).values)).toMatch(/the last$/);
  const ends: boolean[] = [];
  for (let n = 0; n < 20; n++) ends.push(await closedEarly(n));
  expect(ends).toEqual([...Array<boolean>(19).fill(true), false]);
});
