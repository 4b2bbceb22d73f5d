import 'rx-lambda-stream/local/register';
import { EventType, HttpAgent, type AgentSubscriber, type RunAgentInput } from '@ag-ui/client';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { memoryLog } from 'rx-lambda-stream/log';
import { scripted, startLocalLambda, type LocalLambda } from 'rx-lambda-stream/local';
import { firstValueFrom, lastValueFrom, Subject, take, toArray } from 'rxjs';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { handler } from './functions/agent.js';
import { LambdaAgent, type LambdaAgentConfig } from './lambda-agent.js';

const started = (threadId: string, runId: string) => ({ type: 'RUN_STARTED', threadId, runId });
const sse = (event: object) => ({ chunk: `data: ${JSON.stringify(event)}\n\n` });
const question = { id: 'question', role: 'user' as const, content: 'hello out there' };
const input: RunAgentInput = { threadId: 't', runId: 'r', messages: [], tools: [], context: [], state: {} };

let local: LocalLambda;
let client: LambdaClient;

beforeEach(async () => {
  local = await startLocalLambda({
    functions: {
      agent: handler,
      // Says two words and stays silent: only a close ends it.
      silent: scripted(({ payload }) => {
        const { threadId, runId } = JSON.parse(new TextDecoder().decode(payload));
        const said = ['One ', 'two'].map((delta) => sse({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta }));
        const start = sse({ type: 'TEXT_MESSAGE_START', messageId: 'm', role: 'assistant' });
        return [sse(started(threadId, runId)), start, ...said, 'stall'];
      }),
      broken: scripted([sse(started('t', 'r')), { chunk: 'data: {"type":' }, 'reset']),
      foreign: scripted([sse({ type: 'NOT_AN_EVENT' }), { complete: {} }]),
    },
  });
  client = new LambdaClient(local.clientConfig);
});
afterEach(async () => {
  client.destroy();
  await local.close();
});

function agentOf(functionName: string, config: Partial<LambdaAgentConfig> = {}): LambdaAgent {
  return new LambdaAgent({ client, functionName, log: memoryLog(), threadId: 't', ...config });
}

/** Resolves once the agent has told of the text so far. */
function text(expected: string): { subscriber: AgentSubscriber; arrived: Promise<void> } {
  let arrive: () => void;
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  const onMessagesChanged: AgentSubscriber['onMessagesChanged'] = ({ messages }) => {
    if (messages.at(-1)?.content === expected) arrive();
  };
  return { subscriber: { onMessagesChanged }, arrived };
}

describe('runAgent', () => {
  test('resolves with the messages that the function has written', async () => {
    const agent = agentOf('agent', { initialMessages: [question] });
    const { newMessages } = await agent.runAgent({ runId: 'first' });
    expect(newMessages).toEqual([{ id: 'answer-first', role: 'assistant', content: 'You said: hello out there' }]);
  });

  test('a second run of the thread invokes anew', async () => {
    const agent = agentOf('agent', { initialMessages: [question] });
    await agent.runAgent({ runId: 'first' });
    agent.addMessage({ id: 'again', role: 'user', content: 'again' });
    const { newMessages } = await agent.runAgent({ runId: 'second' });
    expect(newMessages.map(({ content }) => content)).toEqual(['You said: again']);
    expect(local.requests).toHaveLength(2);
  });

  test('a clone runs by itself', async () => {
    const agent = agentOf('agent', { initialMessages: [question] }).clone();
    agent.threadId = 'cloned';
    expect((await agent.runAgent()).newMessages).toHaveLength(1);
  });

  test.each([
    ['broken', 'TruncatedStreamError'],
    ['foreign', 'InvalidRecordError'],
  ])('a %s stream is a failed run', async (functionName, name) => {
    await expect(agentOf(functionName).runAgent()).rejects.toMatchObject({ name });
  });
});

describe('one run is one request', () => {
  test('ours sends it when subscribed to, and closes it when left', async () => {
    const agent = agentOf('silent', { lingerMs: 0 });
    const events = agent.run(input);
    await new Promise(setImmediate);
    expect(local.requests).toEqual([]);
    await firstValueFrom(events);
    expect(await local.requests[0]?.closedEarly).toBe(true);
    expect(local.requests).toHaveLength(1);
  });

  test('AG-UI’s own HttpAgent sends it without a subscriber, and reads on when left', async () => {
    const server: Server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const reads = new Subject<number>();
    const agent = new HttpAgent({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      async fetch(url, init) {
        const response = await fetch(url, init);
        let read = 0;
        const count = new TransformStream({
          transform(part, controller) {
            controller.enqueue(part);
            reads.next(++read);
          },
        });
        return new Response(response.body?.pipeThrough(count) ?? null, response);
      },
    });
    try {
      const arrived = once(server, 'request');
      const events = agent.run(input);
      const [, response] = await arrived;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const first = firstValueFrom(events);
      response.write(`data: ${JSON.stringify(started('t', 'r'))}\n\n`);
      await first;
      const second = firstValueFrom(reads);
      response.write(': still here\n\n');
      expect(await second).toBe(2);
    } finally {
      agent.abortRun();
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('abortRun', () => {
  test('ends the run, and closes the connection, as the endpoint sees', async () => {
    const agent = agentOf('silent');
    const { subscriber, arrived } = text('One two');
    const codes: unknown[] = [];
    const run = agent.runAgent({}, { ...subscriber, onRunErrorEvent: ({ event }) => void codes.push(event.code) });
    await arrived;
    agent.abortRun();
    await run;
    expect(codes).toEqual(['abort']);
    expect(await local.requests[0]?.closedEarly).toBe(true);
    expect(agent.isRunning).toBe(false);
    expect(agent.messages.at(-1)?.content).toBe('One two');
  });

  test('before the function was called, calls nothing', async () => {
    const agent = agentOf('silent');
    const events = lastValueFrom(agent.run(input).pipe(toArray()));
    agent.abortRun();
    expect((await events).map(({ type }) => type)).toEqual([EventType.RUN_ERROR]);
    expect(local.requests).toEqual([]);
  });

  test('on another machine ends this one’s run too', async () => {
    const log = memoryLog();
    const { subscriber, arrived } = text('One two');
    const run = agentOf('silent', { log }).runAgent({}, subscriber);
    await arrived;
    agentOf('silent', { log }).abortRun();
    await run;
    expect(await local.requests[0]?.closedEarly).toBe(true);
  });
});

describe('connectAgent', () => {
  test('replays what was said, goes on with it, and invokes nothing', async () => {
    const log = memoryLog();
    const agent = agentOf('agent', { log, initialMessages: [question] });
    const first = text('You ');
    const run = agent.runAgent({ runId: 'first' }, first.subscriber);
    await first.arrived;
    const other = agentOf('agent', { log, initialMessages: [question] });
    const [{ newMessages }, connected] = await Promise.all([run, other.connectAgent()]);
    expect(connected.newMessages).toEqual(newMessages);
    expect(local.requests).toHaveLength(1);
  });

  test('of a thread without a run ends at once, without a message', async () => {
    const { newMessages } = await agentOf('agent').connectAgent();
    expect(newMessages).toEqual([]);
    expect(local.requests).toEqual([]);
  });

  test('goes on after the one who asked has left', async () => {
    const log = memoryLog();
    await firstValueFrom(agentOf('silent', { log }).run(input).pipe(take(1)));
    const { subscriber, arrived } = text('One two');
    const other = agentOf('silent', { log });
    const connected = other.connectAgent({}, subscriber);
    await arrived;
    other.abortRun();
    await connected;
    expect(local.requests).toHaveLength(1);
  });
});
