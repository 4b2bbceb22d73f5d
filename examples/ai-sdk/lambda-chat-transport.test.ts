import 'rx-lambda-stream/local/register';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { AbstractChat, DefaultChatTransport, type ChatTransport, type UIMessage, type UIMessageChunk } from 'ai';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { spawn } from 'node:child_process';
import { relayedInvoke } from 'rx-lambda-stream/http';
import { scripted, startLocalLambda, type LocalLambda } from 'rx-lambda-stream/local';
import type { Relay } from 'rx-lambda-stream/relay';
import { filter, firstValueFrom, ReplaySubject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createChatRelay } from './chat-relay.js';
import { handler } from './functions/chat.mjs';
import { LambdaChatTransport } from './lambda-chat-transport.js';

const question = { id: 'q', role: 'user' as const, parts: [{ type: 'text' as const, text: 'hello out there' }] };
const sent = {
  trigger: 'submit-message' as const,
  messageId: undefined,
  abortSignal: undefined,
  messages: [question],
};
const answer = 'You said: hello out there';
const streamHead = { chunk: '{"statusCode":200}\0\0\0\0\0\0\0\0' };
const sse = (chunk: UIMessageChunk) => ({ chunk: `data: ${JSON.stringify(chunk)}\n\n` });
const saying = (delta: string) => sse({ type: 'text-delta', id: '1', delta });
const beginning = [streamHead, sse({ type: 'start', messageId: 'a' }), sse({ type: 'text-start', id: '1' })];

let local: LocalLambda;
let relay: Relay;
let server: Server;
let transport: LambdaChatTransport;
const cleanups: (() => unknown)[] = [];

/** A relay before this function, and a page's transport to it. */
async function start(chat: Parameters<typeof startLocalLambda>[0]['functions'][string]): Promise<void> {
  local = await startLocalLambda({ functions: { chat }, functionUrls: true });
  const client = new LambdaClient(local.clientConfig);
  relay = createChatRelay(client);
  server = createServer(relay.listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  transport = new LambdaChatTransport(relayedInvoke({ url, reconnect: { initialDelayMs: 1 } }));
  cleanups.push(
    () => relay.close(),
    () => client.destroy(),
    () => local.close(),
    () => server.closeAllConnections(),
    () => server.close(),
  );
}
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
});

/** What `useChat` holds, without React. */
class Chat extends AbstractChat<UIMessage> {
  /** Every text that a message has had, in order. */
  readonly texts: ReplaySubject<string>;

  constructor(transport: ChatTransport<UIMessage>, messages: UIMessage[] = []) {
    const texts = new ReplaySubject<string>();
    const note = (message: UIMessage): void => texts.next(textOf(message));
    super({
      id: 'chat',
      transport,
      state: {
        status: 'ready',
        error: undefined,
        messages,
        pushMessage(message) {
          this.messages = [...this.messages, message];
          note(message);
        },
        popMessage() {
          this.messages = this.messages.slice(0, -1);
        },
        replaceMessage(index, message) {
          this.messages = this.messages.with(index, message);
          note(message);
        },
        snapshot: (value) => structuredClone(value),
      },
    });
    this.texts = texts;
  }

  shown(text: string): Promise<string> {
    return firstValueFrom(this.texts.pipe(filter((shown) => shown === text)));
  }
}

const textOf = ({ parts }: UIMessage): string => parts.map((part) => (part.type === 'text' ? part.text : '')).join('');

async function readUntil(stream: ReadableStream<UIMessageChunk>, type: string): Promise<ReadableStreamDefaultReader> {
  const reader = stream.getReader();
  for (;;) {
    const { value } = await reader.read();
    if (value?.type === type) return reader;
  }
}

async function textsOf(stream: ReadableStream<UIMessageChunk>): Promise<string> {
  let text = '';
  for await (const chunk of stream) if (chunk.type === 'text-delta') text += chunk.delta;
  return text;
}

describe('an answer of the function', () => {
  beforeEach(() => start(handler));

  test('grows in the chat, word by word', async () => {
    const chat = new Chat(transport);
    await chat.sendMessage({ text: 'hello out there' });
    expect([chat.status, chat.error]).toEqual(['ready', undefined]);
    expect(chat.messages.map(textOf)).toEqual(['hello out there', answer]);
    await chat.shown('You said: ');
    await chat.shown('You said: hello ');
    expect(local.requests).toHaveLength(1);
  });

  test('is made anew on regenerate', async () => {
    const chat = new Chat(transport);
    await chat.sendMessage({ text: 'hello' });
    await chat.regenerate();
    expect(chat.messages.map(textOf)).toEqual(['hello', 'You said: hello']);
    expect(local.requests).toHaveLength(2);
  });

  test('is resumed from its beginning after a reload, by the same invocation', async () => {
    const stream = await transport.sendMessages({ ...sent, chatId: 'chat' });
    await (await readUntil(stream, 'text-delta')).cancel();
    const chat = new Chat(transport, [question]);
    await chat.resumeStream();
    expect(chat.messages.map(textOf)).toEqual(['hello out there', answer]);
    expect(local.requests).toHaveLength(1);
  });

  test('goes on after the connection was lost, without a word twice', async () => {
    const stream = await transport.sendMessages({ ...sent, chatId: 'chat' });
    const reader = await readUntil(stream, 'start');
    server.closeAllConnections();
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (value.type === 'text-delta') text += value.delta;
    }
    expect(text).toBe(answer);
    expect(local.requests).toHaveLength(1);
  });

  test('reads like that of the AI SDK’s own transport at the function’s URL', async () => {
    const own = new DefaultChatTransport({ api: local.functionUrls['chat']! });
    const [ours, theirs] = await Promise.all(
      [transport, own].map(async (each) => textsOf(await each.sendMessages({ ...sent, chatId: 'chat' }))),
    );
    expect(ours).toBe(answer);
    expect(theirs).toBe(answer);
  });
});

describe('where nothing is being written', () => {
  test('there is nothing to resume: before a first answer, and after its end', async () => {
    await start(handler);
    expect(await transport.reconnectToStream({ chatId: 'chat' })).toBe(null);
    await new Chat(transport).sendMessage({ text: 'hello' });
    expect(await transport.reconnectToStream({ chatId: 'chat' })).toBe(null);
    expect(local.requests).toHaveLength(1);
  });
});

describe('leaving', () => {
  beforeEach(() => start(scripted([...beginning, saying('One'), 'stall'])));

  test('an abort errors the stream with the signal’s reason, and others read on', async () => {
    const aborter = new AbortController();
    const stream = await transport.sendMessages({ ...sent, chatId: 'chat', abortSignal: aborter.signal });
    const reader = await readUntil(stream, 'text-delta');
    const reason = new Error('enough');
    aborter.abort(reason);
    await expect(reader.read()).rejects.toBe(reason);
    const resumed = await transport.reconnectToStream({ chatId: 'chat' });
    await (await readUntil(resumed!, 'text-delta')).cancel();
    expect(local.requests).toHaveLength(1);
  });

  test('a signal that is aborted already asks for nothing', async () => {
    const reason = new Error('never mind');
    const stream = await transport.sendMessages({ ...sent, chatId: 'chat', abortSignal: AbortSignal.abort(reason) });
    await expect(stream.getReader().read()).rejects.toBe(reason);
    expect(local.requests).toEqual([]);
  });

  test('stop closes the connection to Lambda, as the endpoint sees', async () => {
    const chat = new Chat(transport);
    const finished = chat.sendMessage({ text: 'hello' });
    await chat.shown('One');
    await transport.stop('chat');
    await finished;
    expect(chat.error).toMatchObject({ name: 'InvocationStoppedError' });
    expect(await local.requests[0]?.closedEarly).toBe(true);
  });
});

describe('what fails', () => {
  test.each([
    ['a stream that is cut', [...beginning, saying('One'), 'reset'] as const, 'TruncatedStreamError'],
    [
      'an HTTP status',
      [{ chunk: '{"statusCode":500}\0\0\0\0\0\0\0\0oh' }, { complete: {} }] as const,
      'HttpStatusError',
    ],
    [
      'a chunk that is none',
      [streamHead, { chunk: 'data: {"type":1}\n\n' }, { complete: {} }] as const,
      'InvalidRecordError',
    ],
  ])('%s is the chat’s error', async (_what, steps, name) => {
    await start(scripted([...steps]));
    const chat = new Chat(transport);
    await chat.sendMessage({ text: 'hello' });
    expect([chat.status, chat.error?.name]).toEqual(['error', name]);
  });
});

test('`rx-lambda-stream serve` runs the handler’s file', async () => {
  const bin = new URL('node_modules/rx-lambda-stream/dist/cli/main.js', import.meta.url).pathname;
  const child = spawn(process.execPath, [bin, 'serve', 'functions/chat.mjs', '--port', '0'], {
    cwd: new URL('.', import.meta.url).pathname,
  });
  onTestFinished(() => void child.kill());
  const endpoint = await new Promise<string>((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        output += data.toString();
        const [, url] = /Listening on (http:\S+)/.exec(output) ?? [];
        if (url !== undefined) resolve(url);
      });
    }
    child.on('close', () => reject(new Error(output)));
  });
  const client = new LambdaClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'a' },
  });
  const served = createServer(createChatRelay(client).listener).listen(0, '127.0.0.1');
  onTestFinished(() => void served.close());
  await once(served, 'listening');
  const url = `http://127.0.0.1:${(served.address() as AddressInfo).port}`;
  const stream = await new LambdaChatTransport(relayedInvoke({ url })).sendMessages({ ...sent, chatId: 'served' });
  expect(await textsOf(stream)).toBe(answer);
  client.destroy();
});
