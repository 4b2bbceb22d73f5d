import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { serve } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { relayedInvoke } from '../../src/http/relayed-invoke.js';
import { outcomeOf, textOf } from '../support/collect.js';
import { echo, portOf, tryAll, tryNest } from './try-frameworks.js';

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

  test('NestJS 11, as a middleware', () =>
    tryNest({
      Module,
      // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- as Nest documents it
      create: (module) => NestFactory.create(module, { logger: false, bodyParser: false }),
    }));

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
