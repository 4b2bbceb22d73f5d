import { createServer, request, type IncomingHttpHeaders, type IncomingMessage, type RequestListener } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { onTestFinished } from 'vitest';
import { createRelay, type Relay, type RelayOptions } from '../../src/relay/index.js';

/**
 * A relay behind node:http on a port of its own; both are gone when the test is.
 *
 * @param listenerOf - What stands before the relay.
 */
export async function startRelay(
  options: RelayOptions,
  listenerOf = (relay: Relay): RequestListener => relay.listener,
): Promise<{ relay: Relay; url: string; host: string; port: number }> {
  const relay = createRelay({ onError: () => undefined, ...options });
  const server = createServer(listenerOf(relay));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    await relay.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { relay, url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, port };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

export interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
}

export const lambdaPath = '/2021-11-15/functions/chat/response-streaming-invocations';

/** Sends a request with exactly these headers; resolves at the answer's headers. */
export function send(
  url: string,
  { method = 'POST', path = lambdaPath, headers = {}, body }: RawRequest,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), { method, headers, agent: false });
    sent.on('response', resolve);
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Sends a request and reads the whole answer. */
export async function ask(url: string, raw: RawRequest = {}): Promise<Answer> {
  return readAll(await send(url, raw));
}

export async function readAll(response: IncomingMessage): Promise<Answer> {
  const parts: Buffer[] = [];
  for await (const part of response as AsyncIterable<Buffer>) parts.push(part);
  const body = Buffer.concat(parts);
  return { status: response.statusCode ?? 0, headers: response.headers, body, text: body.toString() };
}

/** The SDK's client, with the relay in Lambda's place. */
export function sdkClient(endpoint: string, maxAttempts = 1): LambdaClient {
  const credentials = { accessKeyId: 'nobody', secretAccessKey: 'nothing' };
  const client = new LambdaClient({ endpoint, region: 'us-east-1', credentials, maxAttempts });
  onTestFinished(() => client.destroy());
  return client;
}

/** Reads an answer's text until it holds what is looked for. The rest stays unread. */
export function readUntil(response: Readable, sought: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    response.on('data', function take(bytes: Buffer) {
      text += bytes.toString();
      if (!sought.test(text)) return;
      response.off('data', take);
      response.pause();
      resolve(text);
    });
    response.on('error', reject);
    response.on('end', () => reject(new Error(`The answer ended without ${sought}: ${text}`)));
    response.resume();
  });
}
