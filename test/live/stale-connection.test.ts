/** docs/cancelling.md: a connection that was kept open may be dead when the next call uses it. */
import { LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { Agent, createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { classifyInvocationError, invokeWithResponseStream, retryInvocation } from 'rx-lambda-stream';
import { expect, it, onTestFinished } from 'vitest';
import { outcomeOf, typesOf } from '../support/collect.js';
import { completeFrame } from '../support/frames.js';

/** A server that answers the first request of a connection, and resets the connection at the second one. */
async function startForgetful(handler: LambdaClientConfig['requestHandler']) {
  let requests = 0;
  const used = new WeakSet();
  const server = createServer((request, response) => {
    requests++;
    if (used.has(request.socket)) {
      request.socket.resetAndDestroy();
      return;
    }
    used.add(request.socket);
    response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' }).end(completeFrame());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new LambdaClient({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    ...(handler && { requestHandler: handler }),
  });
  onTestFinished(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { stream: invokeWithResponseStream(client, { FunctionName: 'f' }), requests: () => requests };
}

it('is an ECONNRESET under the name TimeoutError, after which the function may have run', async () => {
  const { stream, requests } = await startForgetful(new NodeHttpHandler());
  expect((await outcomeOf(stream)).completed).toBe(true);
  const { values, error } = await outcomeOf(stream);
  expect(values).toEqual([]);
  expect(error).toMatchObject({ name: 'TimeoutError', code: 'ECONNRESET' });
  expect(classifyInvocationError(error)).toMatchObject({ mayHaveRun: true });
  expect(requests()).toBe(2);
});

it('is tried again where the call is idempotent', async () => {
  const { stream, requests } = await startForgetful(new NodeHttpHandler());
  expect((await outcomeOf(stream)).completed).toBe(true);
  const { values, completed } = await outcomeOf(stream.pipe(retryInvocation({ idempotent: true, initialDelayMs: 0 })));
  expect([typesOf(values), completed]).toEqual(['retry head complete', true]);
  expect(requests()).toBe(3);
});

it('is not used with keepAlive: false', async () => {
  const { stream, requests } = await startForgetful(
    new NodeHttpHandler({ httpAgent: new Agent({ keepAlive: false }) }),
  );
  expect((await outcomeOf(stream)).completed).toBe(true);
  expect((await outcomeOf(stream)).completed).toBe(true);
  expect(requests()).toBe(2);
});
