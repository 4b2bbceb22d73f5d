import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { serve } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { of } from 'rxjs';
import { chunkEvent, completeEvent, headEvent } from 'rx-lambda-stream/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { relayedInvoke } from '../../src/http/relayed-invoke.js';
import { createRelay, type Relay, type RelayRequest } from '../../src/relay/index.js';
import { outcomeOf, textOf } from '../support/collect.js';
import { ask } from './relay-server.js';

/** A relay that answers with what it was asked, and who asked. */
function echo(): Relay {
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

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

/** Asks in all three ways; the relay is mounted at /api, where a middleware knows the user ann. */
async function tryAll(port: number): Promise<void> {
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

function closeWith(server: Server): void {
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
}

describe('with the real package', () => {
  test('node:http', async () => {
    const relay = echo();
    const server = createServer((request, response) => {
      relay.listener(Object.assign(request, { user: 'ann' }), response);
    }).listen(0, '127.0.0.1');
    closeWith(server);
    await once(server, 'listening');
    await tryAll(portOf(server));
  });

  test('Express 5, mounted below a path, before the body parsers', async () => {
    const relay = echo();
    const app = express();
    app.use((request, _, next) => {
      Object.assign(request, { user: 'ann' });
      next();
    });
    app.use('/api', (request, response) => relay.listener(request, response));
    app.use(express.json());
    app.post('/other', (request, response) => void response.json(request.body));
    const server = app.listen(0, '127.0.0.1');
    closeWith(server);
    await once(server, 'listening');
    await tryAll(portOf(server));
  });

  test('Fastify 5, without a parser of its own', async () => {
    const relay = echo();
    const app = fastify();
    await app.register((api, _, done) => {
      api.removeAllContentTypeParsers();
      api.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
      api.all('/api/*', (request, reply) => {
        reply.hijack();
        relay.listener(Object.assign(request.raw, { user: 'ann' }), reply.raw);
      });
      done();
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    onTestFinished(() => app.close());
    await tryAll(portOf(app.server));
  });

  test('NestJS 11, as a middleware', async () => {
    const relay = echo();
    // eslint-disable-next-line @typescript-eslint/no-extraneous-class -- to Nest, a module is its decorator
    class AppModule {}
    Module({})(AppModule);
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- as Nest documents it
    const app = await NestFactory.create(AppModule, { logger: false, bodyParser: false });
    app.use('/api', (request: RelayRequest, response: Parameters<Relay['listener']>[1]) => {
      relay.listener(Object.assign(request, { user: 'ann' }), response);
    });
    await app.listen(0, '127.0.0.1');
    onTestFinished(() => app.close());
    await tryAll(portOf(app.getHttpServer() as Server));
  });

  test('Hono, on Node', async () => {
    const relay = echo();
    const app = new Hono();
    app.all('/api/*', (c) => relay.fetch(c.req.raw, { user: 'ann' }));
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
    closeWith(server);
    await once(server, 'listening');
    await tryAll(portOf(server));
  });

  test('a bare web handler', async () => {
    const relay = echo();
    const url = 'http://relay.example/api';
    const invoke = relayedInvoke({
      url,
      fetch: (target, init) => relay.fetch(new Request(target, init), { user: 'ann' }),
    });
    const { values } = await outcomeOf(invoke(undefined, { FunctionName: 'chat', Payload: 'x' }));
    expect(textOf(values)).toBe('chat ann /api/2021-11-15/functions/chat/response-streaming-invocations x');
  });
});
