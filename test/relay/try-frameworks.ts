import type { AddressInfo } from 'node:net';
import { of } from 'rxjs';
import { chunkEvent, completeEvent, headEvent } from 'rx-lambda-stream/testing';
import { expect, onTestFinished } from 'vitest';
import { relayedInvoke } from '../../src/http/relayed-invoke.js';
import { createRelay, type Relay, type RelayRequest } from '../../src/relay/index.js';
import { outcomeOf, textOf } from '../support/collect.js';
import { ask } from './relay-server.js';

/** A relay that answers with what it was asked, and who asked. */
export function echo(): Relay {
  const relay = createRelay({
    authorize: ({ functionName = 'none', payload, context, request }) => {
      const { user = 'nobody' } = Object(context) as { user?: string };
      const text = [functionName, user, new URL(request.url).pathname, new TextDecoder().decode(payload)].join(' ');
      return { open: () => of(headEvent(), chunkEvent(text), completeEvent()) };
    },
  });
  onTestFinished(() => relay.close());
  return relay;
}

export const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

/** Asks in all three ways; the relay is mounted at /api, where a middleware knows the user ann. */
export async function tryAll(port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/api`;
  const path = '/api/2021-11-15/functions/chat/response-streaming-invocations';
  const input = { FunctionName: 'chat', Payload: { prompt: 'hi' } };
  const { values, error } = await outcomeOf(relayedInvoke({ url })(undefined, input));
  expect(error).toBeUndefined();
  expect(textOf(values)).toBe(`chat ann ${path} {"prompt":"hi"}`);
  const sse = await ask(url, { method: 'GET', path: '/api/stream', headers: { accept: 'text/event-stream' } });
  expect(sse.text).toContain('data: "none ann /api/stream "');
  const stop = await ask(url, { method: 'DELETE', path });
  expect(stop.status).toBe(404);
}

/** What is used of an application of NestJS 11 or 12, whose types do not fit each other. */
interface NestApplication {
  use(path: string, middleware: (request: RelayRequest, response: Parameters<Relay['listener']>[1]) => void): unknown;
  listen(port: number, host: string): Promise<unknown>;
  close(): Promise<void>;
  getHttpServer(): { address(): unknown };
}

/** The packages of NestJS. */
interface Nest {
  readonly Module: (metadata: object) => (target: new () => object) => void;
  /** Makes an application without a body parser. */
  readonly create: (module: new () => object) => Promise<NestApplication>;
}

/** Mounts the relay in an application of the NestJS that is given, and asks it. */
export async function tryNest({ Module, create }: Nest): Promise<void> {
  const relay = echo();
  // eslint-disable-next-line @typescript-eslint/no-extraneous-class -- to Nest, a module is its decorator
  class AppModule {}
  Module({})(AppModule);
  const app = await create(AppModule);
  app.use('/api', (request, response) => relay.listener(Object.assign(request, { user: 'ann' }), response));
  await app.listen(0, '127.0.0.1');
  onTestFinished(() => app.close());
  await tryAll(portOf(app.getHttpServer()));
}
