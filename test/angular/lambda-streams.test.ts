// @vitest-environment jsdom
import {
  createEnvironmentInjector,
  EnvironmentInjector,
  inject,
  InjectionToken,
  Injector,
  runInInjectionContext,
} from '@angular/core';
import { TestBed } from '@angular/core/testing';
import {
  decodeText,
  invokeWithResponseStream,
  type InvokeWithResponseStream,
  type LambdaStreamClient,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import {
  injectLambdaStreams,
  provideLambdaStreams,
  streamResource,
  type LambdaStreams,
} from 'rx-lambda-stream/angular';
import { relayedInvoke } from 'rx-lambda-stream/http';
import { scripted } from 'rx-lambda-stream/local';
import { chunkEvent, completeEvent, fakeInvoke } from 'rx-lambda-stream/testing';
import { lastValueFrom, NEVER, of, toArray, type Observable } from 'rxjs';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import { startLive } from '../support/live.js';
import { useTestBed } from './test-bed.js';

useTestBed();

const textOf = (streams: LambdaStreams, name = 'chat'): Promise<string> =>
  lastValueFrom(streams.invoke({ FunctionName: name }).pipe(decodeText(), toArray())).then((texts) => texts.join(''));

function provide(options: Parameters<typeof provideLambdaStreams>[0]): LambdaStreams {
  TestBed.configureTestingModule({ providers: [provideLambdaStreams(options)] });
  return TestBed.runInInjectionContext(injectLambdaStreams);
}

describe('provideLambdaStreams', () => {
  it('takes the SDK’s source with a client', async () => {
    const { client, local } = await startLive({
      chat: scripted([{ chunk: 'Hel' }, { chunk: 'lo' }, { complete: {} }]),
    });
    expect(await textOf(provide({ invoke: invokeWithResponseStream, client }))).toBe('Hello');
    expect(local.requests).toHaveLength(1);
  });

  it('takes a relay, which needs no client', async () => {
    const fetch = vi.fn<typeof globalThis.fetch>(() => Promise.reject(new TypeError('refused')));
    const streams = provide({ invoke: relayedInvoke({ url: 'http://relay.test/lambda', fetch }) });
    await expect(textOf(streams)).rejects.toThrow('refused');
    expect(fetch).toHaveBeenCalledOnce();
  });

  it('takes a fake for a component’s test, which needs no client', async () => {
    const invoke = fakeInvoke({ chat: of(chunkEvent('Hi'), completeEvent()) });
    const streams = provide({ invoke });
    expect(await textOf(streams)).toBe('Hi');
    expect(invoke.inputs).toEqual([{ FunctionName: 'chat' }]);
  });

  it('passes the options on, and subscribes to nothing by itself', () => {
    const invoke = fakeInvoke({ chat: NEVER });
    const events = provide({ invoke }).invoke({ FunctionName: 'chat' }, { functionErrors: 'emit' });
    expect(invoke.subscriptions).toBe(0);
    events.subscribe({ error: expect.unreachable }).unsubscribe();
    expect(invoke.invocations).toMatchObject([{ options: { functionErrors: 'emit' }, state: 'unsubscribed' }]);
  });

  it('makes the client once, in the injection context, when something first invokes', async () => {
    const region = new InjectionToken<string>('region', { factory: () => 'eu-central-1' });
    const made: string[] = [];
    const clients: unknown[] = [];
    const invoke = ((client: unknown) => {
      clients.push(client);
      return of(chunkEvent('Hi'), completeEvent());
    }) as InvokeWithResponseStream;
    const client = { send: () => Promise.reject(new Error('not sent')) };
    const streams = provide({
      invoke,
      client() {
        made.push(inject(region));
        return client;
      },
    });
    expect(made).toEqual([]);
    await textOf(streams);
    await textOf(streams);
    expect([made, clients]).toEqual([['eu-central-1'], [client, client]]);
  });

  it('calls `invoke` in the injection context', async () => {
    const token = new InjectionToken<string>('token', { factory: () => 'secret' });
    const fake = fakeInvoke({ chat: of(completeEvent()) });
    const invoke: InvokeWithResponseStream = (client, _input, options) =>
      fake(client, { FunctionName: 'chat', TenantId: inject(token) }, options);
    await textOf(provide({ invoke }));
    expect(fake.inputs).toEqual([{ FunctionName: 'chat', TenantId: 'secret' }]);
  });

  it('is changed in part by an injector below, as a route’s providers are', async () => {
    const clients: unknown[] = [];
    const invoke = ((client: unknown) => {
      clients.push(client);
      return of(completeEvent());
    }) as InvokeWithResponseStream;
    const [above, below] = ['above', 'below'].map((name) => ({ name, send: vi.fn() }));
    const parent = provide({ invoke, client: above as LambdaStreamClient });
    const route = createEnvironmentInjector(
      [provideLambdaStreams({ client: below as LambdaStreamClient })],
      TestBed.inject(EnvironmentInjector),
    );
    await textOf(runInInjectionContext(route.get(Injector), injectLambdaStreams));
    await textOf(parent);
    expect(clients).toEqual([below, above]);
  });

  it('refuses what can never be used, by name', () => {
    const call =
      (options: unknown): (() => unknown) =>
      () =>
        provideLambdaStreams(options as never);
    expect(call({ invoke: {} })).toThrow(
      new TypeError('provideLambdaStreams: invoke must be a function, not an object'),
    );
    expect(call({ client: {} })).toThrow('provideLambdaStreams: client must be a client with send()');
    expect(call(undefined)).toThrow('provideLambdaStreams: options must be an object');
    expect(call(invokeWithResponseStream)).toThrow('provideLambdaStreams: options must be an object');
  });
});

describe('injectLambdaStreams', () => {
  it('says what to provide where nothing is provided', () => {
    expect(() => TestBed.runInInjectionContext(injectLambdaStreams)).toThrow(
      'injectLambdaStreams: nothing is provided. Add provideLambdaStreams({ invoke, client }) to the providers',
    );
  });

  it('says what to provide where only a client is', () => {
    TestBed.configureTestingModule({ providers: [provideLambdaStreams({ client: { send: vi.fn() } })] });
    expect(() => TestBed.runInInjectionContext(injectLambdaStreams)).toThrow('no injector provides `invoke`');
  });

  it('leaves it to `invoke` to miss a client', () => {
    const streams = provide({ invoke: invokeWithResponseStream });
    expect(() => streams.invoke({ FunctionName: 'chat' })).toThrow('invokeWithResponseStream');
  });

  it('is refused outside of an injection context, by Angular', () => {
    expect(injectLambdaStreams).toThrow('NG0203');
  });

  it('gives the events of this package', () => {
    expectTypeOf(injectLambdaStreams).returns.toEqualTypeOf<LambdaStreams>();
    expectTypeOf<ReturnType<LambdaStreams['invoke']>>().toEqualTypeOf<Observable<LambdaStreamEvent>>();
  });
});

describe('a resource over a real endpoint', () => {
  const stalls = { chat: scripted([{ chunk: 'Half' }, 'stall']) };

  it.each([
    ['destroy()', (resource: { destroy: () => void }) => resource.destroy()],
    ['the end of its injector', () => void TestBed.resetTestingModule()],
  ])('closes the connection on %s, as the server sees', async (_how, leave) => {
    const { client, local } = await startLive(stalls);
    const streams = provide({ invoke: invokeWithResponseStream, client });
    const resource = TestBed.runInInjectionContext(() =>
      streamResource({ params: () => 1, stream: () => streams.invoke({ FunctionName: 'chat' }) }),
    );
    TestBed.tick();
    const request = await local.request(0);
    await vi.waitUntil(() => resource.text() === 'Half');
    leave(resource);
    expect(await request.closedEarly).toBe(true);
    expect(resource.text()).toBe('Half');
  });
});
