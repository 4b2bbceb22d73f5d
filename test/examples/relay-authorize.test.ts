import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { relayedInvoke } from 'rx-lambda-stream/http';
import { scripted } from 'rx-lambda-stream/local';
import { firstValueFrom, tap } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { relayForConversations, relayForSessions, relayForTokens } from '../../examples/relay-authorize.js';
import type { Relay } from '../../src/relay/index.js';
import { outcomeOf, textOf } from '../support/collect.js';
import { startLive } from '../support/live.js';
import { ask, readUntil, send } from '../relay/relay-server.js';

const input = { FunctionName: 'chat', Payload: { prompt: 'hi' } };

const startChat = () =>
  startLive({
    chat: async function* ({ prompt }: { prompt: string }) {
      yield await Promise.resolve(`You said ${prompt}`);
    },
  });

async function serve(relay: Relay): Promise<string> {
  const server = createServer(relay.listener).listen(0, '127.0.0.1');
  onTestFinished(async () => {
    await relay.close();
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a session cookie lets its user in, and nobody else', async () => {
  const { client, local } = await startChat();
  const sessions = new Map([['s3cret', 'ann']]);
  const url = await serve(relayForSessions(client, (session) => Promise.resolve(sessions.get(session))));
  const ask = (cookie: string, functionName = 'chat') =>
    outcomeOf(relayedInvoke({ url, headers: { cookie } })(undefined, { ...input, FunctionName: functionName }));
  for (const cookie of ['', 'session=', 'session=other', 'my-session=s3cret', 'session=s3cret2']) {
    expect((await ask(cookie)).error, cookie).toMatchObject({ $metadata: { httpStatusCode: 401 } });
  }
  expect((await ask('session=s3cret', 'other')).error).toMatchObject({ $metadata: { httpStatusCode: 404 } });
  expect(local.requests).toHaveLength(0);
  expect(textOf((await ask('theme=dark; session=s3cret; a=b')).values)).toBe('You said hi');
});

test('a bearer token lets its user in, asked for before each connection', async () => {
  const { client, local } = await startChat();
  const valid = new Set(['first', 'second']);
  const verify = (token: string): Promise<{ sub: string }> =>
    // Each token is good for one request.
    valid.delete(token) ? Promise.resolve({ sub: 'ann' }) : Promise.reject(new Error('expired'));
  const url = await serve(relayForTokens(client, verify));
  const tokens = ['first', 'second', 'third'].values();
  const headers = async () => ({ authorization: `Bearer ${await Promise.resolve(tokens.next().value)}` });
  const invoke = relayedInvoke({ url, headers });
  expect(textOf((await outcomeOf(invoke(undefined, input))).values)).toBe('You said hi');
  expect(textOf((await outcomeOf(invoke(undefined, input))).values)).toBe('You said hi');
  const refused = { message: 'The token is not valid', $metadata: { httpStatusCode: 401 } };
  expect((await outcomeOf(invoke(undefined, input))).error).toMatchObject(refused);
  expect((await outcomeOf(relayedInvoke({ url })(undefined, input))).error).toMatchObject(refused);
  expect(local.requests).toHaveLength(2);
});

test('relayedInvoke and EventSource share a conversation by its key; a DELETE of its URL stops it', async () => {
  const { client, local } = await startLive({
    chat: scripted([{ chunk: '"The first piece"' }, 'stall']),
  });
  const userOf = ({ headers }: Request) =>
    Promise.resolve(/user=(\w+)/.exec(headers.get('authorization') ?? headers.get('cookie') ?? '')?.[1]);
  const url = await serve(relayForConversations(client, userOf));
  const page = { path: '/conversations/42', headers: { accept: 'text/event-stream', cookie: 'user=ann' } };
  const stop = () => ask(url, { method: 'DELETE', path: page.path, headers: { cookie: 'user=ann' } });
  const relayed = (path: string, user: string, FunctionName = 'chat') =>
    relayedInvoke({ url: `${url}${path}`, headers: { authorization: `Bearer user=${user}` } })(undefined, {
      FunctionName,
    });

  // Nobody has begun it, so that nothing is stopped: the next client invokes.
  expect((await stop()).status).toBe(204);
  const events = await send(url, { method: 'GET', ...page });
  await readUntil(events, /first piece/);
  const outcome = outcomeOf(
    relayed(page.path, 'ann').pipe(tap({ next: ({ type }) => void (type === 'chunk' && stop()) })),
  );
  const { values, error } = await outcome;
  expect([textOf(values), error]).toEqual(['"The first piece"', expect.objectContaining({ code: 'stopped' })]);
  expect(await readUntil(events, /event: failure[^]*\n\n/)).toContain('"code":"stopped"');
  expect(local.requests).toHaveLength(1);

  const nobody = { $metadata: { httpStatusCode: 401 } };
  const notFound = { $metadata: { httpStatusCode: 404 } };
  expect((await outcomeOf(relayed(page.path, ''))).error).toMatchObject(nobody);
  expect((await outcomeOf(relayed('/conversations/4.2', 'ann'))).error).toMatchObject(notFound);
  expect((await outcomeOf(relayed(page.path, 'ann', 'other'))).error).toMatchObject(notFound);
  // Another user's conversation of the same id is another one.
  await firstValueFrom(relayed(page.path, 'bob'));
  expect(local.requests).toHaveLength(2);
});
