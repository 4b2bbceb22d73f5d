import { once } from 'node:events';
import { concat, NEVER, of, throwError } from 'rxjs';
import {
  InvocationStoppedError,
  invokeWithResponseStream,
  UnknownInvocationError,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { inspectInvocation, memoryLog, stopInvocation, type InvocationLog } from '../../src/log/index.js';
import { openMemoryLog } from '../../src/log/memory-log.js';
import { createMemoryStore } from '../../src/log/memory-store.js';
import { chunkEvent, completeEvent, headEvent, retryEvent } from 'rx-lambda-stream/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { relayedInvoke, type RelayPosition } from '../../src/http/relayed-invoke.js';
import { createRelay, type RelayOptions } from '../../src/relay/index.js';
import { outcomeOf, textOf, typesOf, type Outcome } from '../support/collect.js';
import { gate, startLive } from '../support/live.js';
import { ask, lambdaPath, send, startRelay } from './relay-server.js';
import { stopClock } from './virtual-clock.js';
import { follow, writtenInvocation } from './written-invocation.js';

const input = { FunctionName: 'chat' };

describe('an invocation with a key', () => {
  test('is one invocation for all clients with its key, and x-rx-invocation names it', async () => {
    const { open, running, write, finish, opened } = writtenInvocation(headEvent({ contentType: 'text/plain' }));
    const { url } = await startRelay({ authorize: () => ({ key: ['ann', 'chat'], open }) });
    const first = outcomeOf(relayedInvoke({ url })(undefined, input));
    await running;
    write('hel');
    const second = outcomeOf(relayedInvoke({ url })(undefined, input));
    const response = await send(url, {});
    expect(response.headers['x-rx-invocation']).toMatch(/^\d+$/);
    response.destroy();
    write('lo');
    finish();
    for (const { values, completed } of await Promise.all([first, second])) {
      expect([textOf(values), completed]).toEqual(['hello', true]);
      expect(values[0]).toMatchObject({ type: 'head', contentType: 'text/plain' });
    }
    expect(opened()).toBe(1);
    // After the end too, without a word to the function.
    expect(textOf((await outcomeOf(relayedInvoke({ url })(undefined, input))).values)).toBe('hello');
    expect(opened()).toBe(1);
  });

  test('every event has its position', async () => {
    const { open, running, write, finish } = writtenInvocation();
    const { url } = await startRelay({ authorize: () => ({ key: 'k', open }) });
    const outcome = outcomeOf(relayedInvoke({ url })(undefined, input));
    await running;
    write('é');
    write('b');
    finish();
    const { values } = await outcome;
    const bytes = values.map(({ position = '' }) => position.replace(/^\d+-/, ''));
    expect(bytes[0]).toBe('0');
    expect(bytes.at(-1)).toBe('3');
    expect(new Set(values.map(({ position = '' }) => position.replace(/-\d+$/, ''))).size).toBe(1);
  });

  test('the parts of an array stay apart', async () => {
    const keys: string[] = [];
    const grants = [['a', 'b'], ['a,b'], ['a","b'], ['a/b', ''], ['a', '/b', '']];
    const log = memoryLog();
    const { url } = await startRelay({
      log,
      authorize: ({ functionName }) => {
        const key = grants[Number(functionName)] ?? 'x';
        return { key, open: () => of(headEvent(), chunkEvent(JSON.stringify(key)), completeEvent()) };
      },
    });
    for (const [index, key] of grants.entries()) {
      const { values } = await outcomeOf(relayedInvoke({ url })(undefined, { FunctionName: String(index) }));
      keys.push(textOf(values));
      expect(textOf(values)).toBe(JSON.stringify(key));
      // The key in the log, as the docs tell it.
      expect(await inspectInvocation(log, JSON.stringify(key))).toMatchObject({ state: 'complete' });
    }
    expect(new Set(keys).size).toBe(grants.length);
  });

  test.each([['with a key', { key: 'k' }] as const, ['without one', {}] as const])(
    '%s, attempts before the first head are not told',
    async (_what, grant) => {
      const attempts = of(retryEvent({ attempt: 2 }), retryEvent({ attempt: 3 }), headEvent(), completeEvent());
      const { url } = await startRelay({ authorize: () => ({ ...grant, open: () => attempts }) });
      const { values } = await outcomeOf(relayedInvoke({ url })(undefined, input));
      expect(typesOf(values)).toBe('head complete');
    },
  );

  test('without open the client only follows: an unknown key is 404', async () => {
    const { open, running, write, finish } = writtenInvocation();
    const { url } = await startRelay({
      authorize: ({ functionName }) => (functionName === 'follow' ? { key: 'k' } : { key: 'k', open }),
    });
    const following = relayedInvoke({ url })(undefined, { FunctionName: 'follow' });
    const { error } = await outcomeOf(following);
    expect(error).toBeInstanceOf(UnknownInvocationError);
    const first = outcomeOf(relayedInvoke({ url })(undefined, input));
    await running;
    const second = outcomeOf(following);
    write('a');
    finish();
    expect(textOf((await second).values)).toBe('a');
    await first;
  });

  test('a disconnect is not a stop: the last to leave has lingerMs to come back', async () => {
    const { local, client } = await startLive({
      chat: async function* () {
        yield 'a';
        await new Promise(() => undefined);
      },
    });
    const clock = stopClock();
    let left = gate();
    const { url } = await startRelay(
      {
        authorize: ({ input: asked }) => ({
          key: 'k',
          open: (pauseWhile) => invokeWithResponseStream(client, asked, { pauseWhile }),
        }),
      },
      (relay) => (request, response) => {
        relay.listener(request, response);
        response.on('close', left.open);
      },
    );
    for (let visit = 0; visit < 2; visit++) {
      const response = await send(url, {});
      await once(response, 'data');
      response.destroy();
      await left.opened;
      left = gate();
      await clock.advance(29_999);
    }
    expect(local.requests).toHaveLength(1);
    // Nobody came back: the connection to Lambda closes.
    await clock.advance(1);
    expect(await (await local.request(0)).closedEarly).toBe(true);
    expect(local.requests).toHaveLength(1);
  });

  test('DELETE stops the key of authorize: every client and a reload get InvocationStoppedError', async () => {
    const { open, opened } = writtenInvocation();
    const { url } = await startRelay({ authorize: () => ({ key: 'k', open }) });
    const invoke = relayedInvoke({ url });
    const clients = [follow(invoke(undefined, input)), follow(invoke(undefined, input))];
    for (const client of clients) await client.until((values) => values.length > 0);
    await invoke.stop(input);
    for (const { error } of await Promise.all(clients.map(({ outcome }) => outcome)))
      expect(error).toBeInstanceOf(InvocationStoppedError);
    const reload = await outcomeOf(invoke(undefined, input));
    expect([typesOf(reload.values), reload.error]).toEqual(['head', expect.any(InvocationStoppedError)]);
    expect(JSON.stringify(reload.error)).not.toContain('"k"');
    expect(opened()).toBe(1);
  });

  test('a stop before the first frame is 409', async () => {
    const { opened, open: begin } = gate();
    const { url } = await startRelay({ authorize: () => ({ key: 'k', open: () => (begin(), NEVER) }) });
    const sent = ask(url);
    await opened;
    await relayedInvoke({ url }).stop(input);
    const answer = await sent;
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([409, { code: 'stopped' }]);
  });

  test('stop sends the path, headers and body of the POST, so that authorize makes the same key', async () => {
    const seen: unknown[] = [];
    const { url } = await startRelay({
      async authorize({ request, functionName, input: { Qualifier, TenantId } }) {
        const cookie = request.headers.get('x-user');
        seen.push([request.method, functionName, Qualifier, TenantId, cookie, await request.text()]);
        return { key: 'k' };
      },
    });
    const invoke = relayedInvoke({ url, headers: { 'x-user': 'ann' } });
    const asked = { FunctionName: 'chat', Qualifier: 'live', TenantId: 'blue', Payload: { a: 1 } };
    await outcomeOf(invoke(undefined, asked));
    await invoke.stop(asked);
    expect(seen).toEqual(['POST', 'DELETE'].map((method) => [method, 'chat', 'live', 'blue', 'ann', '{"a":1}']));
  });

  test('a stop that is refused rejects with the refusal; one without a key is 404', async () => {
    const { url } = await startRelay({ authorize: () => ({ open: () => NEVER }) });
    await expect(relayedInvoke({ url }).stop(input)).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } });
  });

  test('a failure before the head has its status for all who joined', async () => {
    const { url } = await startRelay({
      authorize: () => ({ key: 'k', open: () => throwError(() => new Error('no')) }),
    });
    expect((await ask(url)).status).toBe(424);
  });

  test('onError hears the key and the request, whose body a stream does not hold', async () => {
    const told: unknown[] = [];
    const error = new Error('no');
    const { url } = await startRelay({
      authorize: () => ({ key: 'k', open: () => throwError(() => error) }),
      onError: (heard, { key, request }) => told.push([String(heard), key, request.method, request.body]),
    });
    await ask(url, { body: 'prompt' });
    expect(told).toEqual([['Error: no', 'k', 'POST', null]]);
  });
});

describe('going on', () => {
  /** A relay with a finished invocation of 'h€llo' in three chunks. */
  async function finished(
    options: Partial<RelayOptions> = {},
  ): Promise<{ url: string; generation: string; ran: () => number }> {
    let ran = 0;
    const { url } = await startRelay({
      authorize: () => ({
        key: 'k',
        open: () => (
          ran++,
          of(
            headEvent({ contentType: 'text/plain' }),
            chunkEvent('h€'),
            chunkEvent('ll'),
            chunkEvent('o'),
            completeEvent(),
          )
        ),
      }),
      ...options,
    });
    const { headers } = await ask(url);
    return { url, generation: String(headers['x-rx-invocation']), ran: () => ran };
  }

  test('at every byte: exactly the rest, behind the head', async () => {
    const { url, generation, ran } = await finished();
    const whole = new TextEncoder().encode('h€llo');
    for (let at = 0; at <= whole.length; at++) {
      const after: RelayPosition = `${Number(generation)}-${at}`;
      const { values, completed } = await outcomeOf(relayedInvoke({ url })(undefined, input, { after }));
      const rest = Buffer.concat(values.map((event) => (event.type === 'chunk' ? event.payload : new Uint8Array())));
      expect([new Uint8Array(rest), completed]).toEqual([whole.slice(at), true]);
      expect(values[0]).toMatchObject({ type: 'head', contentType: 'text/plain', position: after });
      expect(values.at(-1)?.position).toBe(`${generation}-${whole.length}`);
    }
    expect(ran()).toBe(1);
  });

  test.each([
    ['of a future generation', (generation: number) => `${generation + 1}-0`],
    ['past the end', (generation: number) => `${generation}-8`],
    ['past every number', () => '18446744073709551616-0'],
    ['past every byte', (generation: number) => `${generation}-18446744073709551616`],
  ])('%s is 404, and nothing runs', async (_, id) => {
    const { url, generation, ran } = await finished();
    const { status, text } = await ask(url, { headers: { 'last-event-id': id(Number(generation)) } });
    expect([status, JSON.parse(text)]).toMatchObject([404, { code: 'unknown-invocation' }]);
    expect(ran()).toBe(1);
  });

  test('a position of a key that never existed is 404, and nothing runs', async () => {
    let ran = 0;
    const { url } = await startRelay({ authorize: () => ({ key: 'k', open: () => (ran++, NEVER) }) });
    expect((await ask(url, { headers: { 'last-event-id': '1-0' } })).status).toBe(404);
    expect(ran).toBe(0);
  });

  test('only authorize gives keys: a position of another key gives nothing of its invocation', async () => {
    const clock = stopClock();
    const { url } = await startRelay({
      authorize({ request }) {
        const user = request.headers.get('x-user') ?? '';
        return { key: ['chat', user], open: () => of(headEvent(), chunkEvent(`for ${user}`), completeEvent()) };
      },
    });
    const askAs = (user: string, headers: Record<string, string> = {}) =>
      ask(url, { path: `${lambdaPath}?key=ann`, headers: { 'x-user': user, ...headers }, body: '{"key":"ann"}' });
    const ann = await askAs('ann');
    const generation = String(ann.headers['x-rx-invocation']);
    const told = { 'last-event-id': `${generation}-0`, 'x-rx-invocation': generation, 'x-rx-key': '["chat","ann"]' };
    // Of Bob's there is nothing yet.
    const before = await askAs('bob', told);
    expect([before.status, before.text.includes('for ann')]).toEqual([404, false]);
    // What he makes has a later generation, to which the place does not belong either.
    await clock.advance(1);
    expect((await askAs('bob')).text).toContain('for bob');
    const after = await askAs('bob', told);
    expect([after.status, after.text.includes('for ann')]).toEqual([404, false]);
    expect((await askAs('ann', told)).text).toContain('for ann');
  });

  test('of an older generation: the present one from its start, after a restart', async () => {
    let ran = 0;
    const { url } = await startRelay({
      authorize: () => ({
        key: 'k',
        open: () =>
          ran++ === 0
            ? concat(
                of(headEvent(), chunkEvent('old')),
                throwError(() => new Error('no')),
              )
            : of(headEvent(), chunkEvent('h€llo'), completeEvent()),
      }),
    });
    const [older, generation] = [await ask(url), await ask(url)].map(({ headers }) =>
      Number(headers['x-rx-invocation']),
    );
    const after: RelayPosition = `${older!}-2`;
    const { values } = await outcomeOf(relayedInvoke({ url })(undefined, input, { after }));
    expect(values.find(({ type }) => type === 'retry')).toMatchObject({
      mode: 'restart',
      position: `${generation!}-0`,
    });
    expect(values.filter(({ type }) => type === 'retry')).toHaveLength(1);
    expect(textOf(values)).toBe('h€llo');
    const sse = await ask(url, { headers: { accept: 'text/event-stream', 'last-event-id': after } });
    expect(sse.text).toContain(`event: restart\nid: ${generation!}-0\n`);
    const never = await ask(url, { headers: { 'last-event-id': `${older! - 1}-2` } });
    expect([never.status, ran]).toEqual([404, 2]);
  });

  test('a restart that open itself emits begins a generation', async () => {
    const restart = retryEvent({ mode: 'restart', delivered: { chunks: 1, bytes: 3 } });
    const { url } = await startRelay({
      authorize: () => ({
        key: 'k',
        open: () =>
          of(
            headEvent(),
            chunkEvent('abc'),
            restart,
            headEvent({ contentType: 'text/css' }),
            chunkEvent('de'),
            completeEvent(),
          ),
      }),
    });
    const { values } = await outcomeOf(relayedInvoke({ url })(undefined, input));
    const generations = [...new Set(values.map(({ position = '' }) => position.split('-')[0]))];
    const at = values.findIndex(({ type }) => type === 'retry');
    if (at >= 0) {
      expect(generations).toHaveLength(2);
      expect(values[at]?.position).toBe(`${generations[1] ?? ''}-0`);
    }
    expect(values.at(-1)?.position).toMatch(/-2$/);
    expect(values.filter(({ type }) => type === 'head').at(-1)).toMatchObject({ contentType: 'text/css' });
  });

  test('a window that has passed is 410', async () => {
    const { url, generation } = await finished({ maxReplayBytes: 70 });
    const { status, text } = await ask(url, { headers: { 'last-event-id': `${generation}-0` } });
    expect([status, JSON.parse(text)]).toMatchObject([410, { code: 'replay-limit' }]);
  });
});

describe('the log', () => {
  test('is shared by two relays: a client goes on at the other one', async () => {
    const log = memoryLog();
    onTestFinished(() => log.close());
    const { open, running, write, finish, opened } = writtenInvocation();
    const relays = [1, 2].map(() =>
      createRelay({ log, authorize: () => ({ key: 'k', open }), onError: () => undefined }),
    );
    let turn = 0;
    const invoke = relayedInvoke({
      url: 'http://relay.example',
      fetch: (url, init) => relays[turn++ % 2]!.fetch(new Request(url, init)),
    });
    const client = follow(invoke(undefined, input));
    await running;
    write('a');
    await client.until((values) => textOf(values) === 'a');
    // A deploy of the first one.
    await relays[0]?.close();
    await client.until((values) => values.some(({ type }) => type === 'retry'));
    write('b');
    finish();
    const { values } = await client.outcome;
    expect([textOf(values), typesOf(values), opened()]).toEqual(['ab', 'head chunk retry head chunk complete', 1]);
    await relays[1]?.close();
  });

  /** Clients of a relay that another one follows at the next request, as at a deploy. */
  async function deploy(logs: readonly [InvocationLog, InvocationLog]): Promise<Outcome<LambdaStreamEvent>> {
    const { open, running, write } = writtenInvocation();
    const relays = logs.map((log) =>
      createRelay({ log, authorize: () => ({ key: 'k', open }), onError: () => undefined }),
    );
    let turn = 0;
    const invoke = relayedInvoke({
      url: 'http://relay.example',
      fetch: (url, init) => relays[turn++ % 2]!.fetch(new Request(url, init)),
      reconnect: { initialDelayMs: 0 },
    });
    const client = follow(invoke(undefined, input));
    await running;
    write('a');
    await client.until((values) => textOf(values) === 'a');
    await relays[0]?.close();
    await logs[0].close();
    const outcome = await client.outcome;
    await relays[1]?.close();
    await logs[1].close();
    return outcome;
  }

  test('of its own in each process: after a deploy a client is told that its invocation is unknown', async () => {
    const { values, error } = await deploy([memoryLog(), memoryLog()]);
    expect(typesOf(values)).toBe('head chunk retry');
    expect(error).toBeInstanceOf(UnknownInvocationError);
  });

  test('that is closed with its relay tells clients of the other one that the producer is lost', async () => {
    // As Redis is to two processes.
    const store = createMemoryStore();
    const { error } = await deploy([openMemoryLog(store), openMemoryLog(store)]);
    expect(error).toMatchObject({ code: 'producer-lost' });
  });

  test('stopInvocation of the application stops what a client joined', async () => {
    const log = memoryLog();
    const { open, running } = writtenInvocation();
    const { url } = await startRelay({ log, authorize: () => ({ key: 'k', open }) });
    const outcome = outcomeOf(relayedInvoke({ url })(undefined, input));
    await running;
    await stopInvocation(log, 'k');
    expect((await outcome).error).toBeInstanceOf(InvocationStoppedError);
    await log.close();
  });

  test('a log that does not answer is 503 for those who come back, and 424 for those who may have run', async () => {
    const log = memoryLog();
    await log.close();
    const { url } = await startRelay({ log, authorize: () => ({ key: 'k', open: () => NEVER }) });
    expect((await ask(url)).status).toBe(424);
    expect((await ask(url, { headers: { 'last-event-id': '1-0' } })).status).toBe(503);
    expect((await ask(url, { method: 'DELETE' })).status).toBe(503);
  });
});
