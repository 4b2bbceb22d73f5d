import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  scripted,
  type LocalFunction,
  type LocalLambda,
  type LocalRequest,
  type ScriptStep,
} from '../../src/local/index.js';
import { decodeJson, type BrowserStep, type RequestReport } from './browser-protocol.js';

/**
 * An HTTP server by which a page defines functions of the local endpoint, opens gates, and learns what the server saw.
 */
export interface ControlServer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/**
 * Starts the server. All waiting is on this side: a page asks once, and is answered when it is so.
 *
 * @param functions - Those that the endpoint was started with: new ones are added to it.
 */
export async function startControlServer(
  local: LocalLambda,
  functions: Record<string, LocalFunction>,
): Promise<ControlServer> {
  const gates = new Map<string, PromiseWithResolver>();
  const gateOf = (name: string, gate: string): PromiseWithResolver => {
    const key = `${name}/${gate}`;
    const known = gates.get(key) ?? withResolver();
    gates.set(key, known);
    return known;
  };

  /** Each function's requests so far, and those who wait for more of them. */
  const requests = new Map<string, LocalRequest[]>();
  const waiters = new Set<() => void>();
  void collectRequests();

  async function collectRequests(): Promise<void> {
    for (let index = 0; ; index++) {
      const request = await local.request(index);
      requests.set(request.functionName, [...requestsOf(request.functionName), request]);
      for (const wake of waiters) wake();
      waiters.clear();
    }
  }

  const requestsOf = (name: string): LocalRequest[] => requests.get(name) ?? [];

  async function waitForRequests(name: string, count: number): Promise<LocalRequest[]> {
    while (requestsOf(name).length < count) await new Promise<void>((resolve) => waiters.add(resolve));
    return requestsOf(name);
  }

  let defined = 0;

  /** @param attempts - The steps for each request in turn; the last ones for all that follow. */
  function define(attempts: readonly (readonly BrowserStep[])[]): string {
    const name = `defined-${++defined}`;
    const play = (steps: readonly BrowserStep[]): ScriptStep[] =>
      steps.map((step) =>
        typeof step === 'object' && 'gate' in step ? { waitFor: gateOf(name, step.gate).promise } : step,
      );
    functions[name] = scripted((_request, attempt) => play(attempts[attempt - 1] ?? attempts.at(-1) ?? []));
    return name;
  }

  async function answer(request: IncomingMessage): Promise<unknown> {
    const [what, name = '', detail = ''] = (request.url ?? '').slice(1).split('/');
    switch (what) {
      case 'define':
        return define(decodeJson(await text(request)) as BrowserStep[][]);
      case 'open':
        gateOf(name, detail).resolve();
        return null;
      case 'requests':
        return (await waitForRequests(name, Number(detail))).map(report);
      case 'closed-early': {
        const index = Number(detail);
        return (await waitForRequests(name, index + 1))[index]?.closedEarly;
      }
      default:
        throw new TypeError(`No such control: ${String(what)}`);
    }
  }

  /** Answers `/cut/GATE[/LENGTH]` with three bytes; at the gate the connection is closed by a FIN, without an end. */
  async function answerCut(url: string, response: ServerResponse): Promise<void> {
    const [, , gate = '', length] = url.split('/');
    response.writeHead(200, { 'content-type': 'text/plain', ...(length && { 'content-length': length }) });
    response.write('one');
    await gateOf('cut', gate).promise;
    response.socket?.end();
  }

  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    if (request.url?.startsWith('/cut/')) {
      void answerCut(request.url, response);
      return;
    }
    response.setHeader('content-type', 'application/json');
    answer(request).then(
      (result) => response.end(JSON.stringify(result)),
      (error: unknown) => {
        response.statusCode = 500;
        response.end(JSON.stringify(String(error)));
      },
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const report = ({ payload, headers, bytesWritten }: LocalRequest): RequestReport => ({
  payload: new TextDecoder().decode(payload),
  headers,
  bytesWritten,
});

interface PromiseWithResolver {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function withResolver(): PromiseWithResolver {
  let resolve!: () => void;
  const promise = new Promise<void>((resolver) => (resolve = resolver));
  return { promise, resolve };
}
