import 'rx-lambda-stream/local/register';
import { createTRPCClient, httpBatchStreamLink } from '@trpc/client';
import { DefaultChatTransport, readUIMessageStream } from 'ai';
import { startLocalLambda } from 'rx-lambda-stream/local';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as adapter from './functions/adapter.js';
import * as chat from './functions/chat.js';
import * as expressApp from './functions/express.js';
import * as honoBuffered from './functions/hono-buffered.js';
import * as honoStreaming from './functions/hono-streaming.js';
import * as middy from './functions/middy.js';
import * as powertools from './functions/powertools.js';
import * as trpc from './functions/trpc.js';

let local;

beforeAll(async () => {
  local = await startLocalLambda({
    functions: {
      adapter: adapter.handler,
      chat: chat.handler,
      express: expressApp.handler,
      honoBuffered: honoBuffered.handler,
      honoStreaming: honoStreaming.handler,
      middyBuffered: middy.buffered,
      middyStreaming: middy.streaming,
      powertools: powertools.handler,
      trpc: trpc.handler,
    },
    functionUrls: true,
  });
});
afterAll(() => local.close());

const urlOf = (name, path) => new URL(path, local.functionUrls[name]);

/** The body as it arrived, read by read. */
async function partsOf(response) {
  const parts = [];
  for await (const part of response.body) parts.push(Buffer.from(part).toString());
  return parts;
}

describe.each(['honoBuffered', 'honoStreaming', 'express'])('%s', (name) => {
  test('reads path, query and JSON body, and answers with status, cookie and JSON', async () => {
    const response = await fetch(urlOf(name, '/orders/7?page=2'), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ items: ['é'] }),
    });
    expect(response.status).toBe(201);
    expect(response.headers.getSetCookie()[0]).toMatch(/^seen=7/);
    expect(await response.json()).toEqual({ id: '7', items: ['é'], page: '2' });
  });

  test('answers 404 to a path that it does not know', async () => {
    expect((await fetch(urlOf(name, '/nowhere'))).status).toBe(404);
  });
});

test('hono streams', async () => {
  const response = await fetch(urlOf('honoStreaming', '/words'));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  // The first word is here while the function waits to write the second one.
  expect(await reader.read()).toEqual({ done: false, value: 'one ' });
  expect((await fetch(urlOf('honoStreaming', '/go-on'), { method: 'POST' })).status).toBe(204);
  let rest = '';
  for (let read = await reader.read(); !read.done; read = await reader.read()) rest += read.value;
  expect(rest).toBe('two three ');
});

test('express answers with bytes', async () => {
  const response = await fetch(urlOf('express', '/picture'));
  expect(response.headers.get('content-type')).toBe('image/png');
  expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0x00]));
});

test('tRPC streams batched calls and generators to its httpBatchStreamLink', async () => {
  const client = createTRPCClient({ links: [httpBatchStreamLink({ url: local.functionUrls.trpc })] });
  const [greeting, counted, failure] = await Promise.all([
    client.greet.query('you'),
    client.count.query(3).then(async (numbers) => {
      const all = [];
      for await (const number of numbers) all.push(number);
      return all;
    }),
    client.fail.query().catch((error) => error.message),
  ]);
  expect([greeting, counted, failure]).toEqual(['Hello you', [1, 2, 3], 'out of stock']);
});

test('the AI SDK streams to its DefaultChatTransport', async () => {
  const transport = new DefaultChatTransport({ api: local.functionUrls.chat });
  const stream = await transport.sendMessages({
    trigger: 'submit-message',
    chatId: 'chat',
    messages: [{ id: '1', role: 'user', parts: [{ type: 'text', text: 'hé' }] }],
  });
  const texts = [];
  for await (const message of readUIMessageStream({ stream })) {
    texts.push(message.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(''));
  }
  expect(texts.at(-1)).toBe('You said: hé');
  expect(new Set(texts).size).toBeGreaterThan(2);
});

test('@h4ad/serverless-adapter streams an express application', async () => {
  const response = await fetch(urlOf('adapter', '/words'));
  expect(response.headers.get('content-type')).toContain('text/plain');
  expect((await partsOf(response)).join('')).toBe('one two');
});

test.each([
  ['middyBuffered', 'path /a/b'],
  ['middyStreaming', 'one two'],
])('%s runs its middleware', async (name, body) => {
  const response = await fetch(urlOf(name, '/a/b'));
  expect(response.headers.get('x-stamp')).toBe('middy');
  expect(await response.text()).toBe(body);
});

test('powertools routes, and turns a throw into its own 500', async () => {
  const found = await fetch(urlOf('powertools', '/orders/7'));
  expect([found.status, await found.json()]).toEqual([200, { id: '7' }]);
  expect((await fetch(urlOf('powertools', '/broken'))).status).toBe(500);
});
