import {
  InvokeWithResponseStreamCommand,
  LambdaClient,
  type LambdaClientConfig,
  type InvokeWithResponseStreamCommandOutput,
  type InvokeWithResponseStreamCompleteEvent,
} from '@aws-sdk/client-lambda';
import { request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import {
  startLocalLambda,
  type LocalFunction,
  type LocalLambda,
  type LocalLambdaOptions,
} from 'rx-lambda-stream/local';
import { onTestFinished } from 'vitest';

export { gate } from '../support/live.js';

/** What the SDK's own loop reads from one stream. */
export interface Read {
  readonly output: InvokeWithResponseStreamCommandOutput;
  readonly chunks: string[];
  readonly text: string;
  readonly complete: InvokeWithResponseStreamCompleteEvent | undefined;
}

export interface Driven {
  readonly local: LocalLambda;
  readonly client: LambdaClient;
  /** Reads a whole stream with the SDK's raw `for await` loop. */
  readonly read: (FunctionName: string, input?: object) => Promise<Read>;
}

/** A local endpoint and an unchanged SDK client; both are gone when the test is. */
export async function drive(
  functions: Record<string, LocalFunction>,
  options: Omit<LocalLambdaOptions, 'functions'> = {},
  clientConfig: LambdaClientConfig = {},
): Promise<Driven> {
  const local = await startLocalLambda({ functions, ...options });
  const client = new LambdaClient({ ...local.clientConfig, ...clientConfig });
  onTestFinished(async () => {
    client.destroy();
    await local.close();
  });
  return {
    local,
    client,
    async read(FunctionName, input = {}) {
      const output = await client.send(new InvokeWithResponseStreamCommand({ FunctionName, ...input }));
      const chunks: string[] = [];
      let complete: InvokeWithResponseStreamCompleteEvent | undefined;
      for await (const event of output.EventStream ?? []) {
        if (event.PayloadChunk) chunks.push(Buffer.from(event.PayloadChunk.Payload ?? []).toString());
        if (event.InvokeComplete) complete = event.InvokeComplete;
      }
      return { output, chunks, text: chunks.join(''), complete };
    },
  };
}

/** What plain HTTP brings, without the SDK. */
export interface RawResponse {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: string[];
  readonly body: Buffer;
  /** The body as it arrived, read by read. */
  readonly parts: Buffer[];
}

export interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
}

/** The path of a streaming invocation. */
export const streamPath = (name: string): string =>
  `/2021-11-15/functions/${encodeURIComponent(name)}/response-streaming-invocations`;

/** Sends one plain HTTP request on a connection of its own. */
export function post(
  local: LocalLambda,
  { method = 'POST', path = '/', headers, body }: RawRequest,
): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const sent = request(local.endpoint, { method, path, headers: headers ?? {}, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          statusCode: response.statusCode ?? 0,
          headers: response.headers,
          rawHeaders: response.rawHeaders,
          body: Buffer.concat(parts),
          parts,
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Writes bytes to the endpoint's port and reads until it closes the connection. */
export function rawExchange(local: LocalLambda, text: string): Promise<string> {
  const { hostname, port } = new URL(local.endpoint);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.on('data', (part) => (answer += part.toString()));
    // A reset after the answer is as good as an end: what arrived is compared.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
    socket.write(text);
  });
}
