import type { LambdaStreamClient } from 'rx-lambda-stream';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { relayOne } from './relay-one.js';
import { createSharedRelay, type SharedRelay, type SharedRelayOptions } from './relay-shared.js';

/** How many reports are remembered, `maxReplayBytes` each at most. */
const maxReports = 100;

/**
 * Makes an HTTP server that relays invocations to browsers as server-sent events.
 *
 * - `GET /chat?prompt=…` is an invocation of its own, at the browser's pace.
 * - `GET /reports/ID` is one invocation for all who ask, and for those who come back.
 * - `GET /` is a page that shows the report named behind its `#`.
 *
 * Whoever reaches it can invoke: check who asks before it goes anywhere public.
 */
export function createRelayServer(client: LambdaStreamClient, options: SharedRelayOptions = {}): Server {
  const page = readFileSync(new URL('page.html', import.meta.url));
  const reports = new Map<string, SharedRelay>();

  function report(id: string): SharedRelay {
    const known = reports.get(id);
    if (known !== undefined) return known;
    const relay = createSharedRelay(client, { FunctionName: 'report', Payload: { id } }, options);
    reports.set(id, relay);
    // The oldest goes; whoever reads it reads on.
    for (const oldest of reports.keys()) if (reports.size > maxReports) reports.delete(oldest);
    return relay;
  }

  return createServer((request, response) => {
    const [path = '', query] = (request.url ?? '').split('?');
    const reportId = /^\/reports\/([\w-]{1,64})$/.exec(path)?.[1];
    if (request.method !== 'GET') {
      response.writeHead(405, { allow: 'GET' }).end();
    } else if (reportId !== undefined) {
      report(reportId)(request, response);
    } else if (path === '/chat') {
      const prompt = new URLSearchParams(query).get('prompt') ?? '';
      relayOne(client, { FunctionName: 'chat', Payload: { prompt } }, request, response, options);
    } else if (path === '/') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
    } else {
      response.writeHead(404).end();
    }
  });
}
