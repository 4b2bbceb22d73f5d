/** `LAMBDA_CONFIG='{ "region": … }' node dist/server-rendering/server/server.mjs`: prints its address. */
import { AngularNodeAppEngine, writeResponseToNodeResponse } from '@angular/ssr/node';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import { readConfig } from './read-config';

const engine = new AngularNodeAppEngine({ allowedHosts: ['127.0.0.1'] });
const browser = new URL('../browser/', import.meta.url);

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
  if (pathname === '/config.json') {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(readConfig()));
  } else if (pathname.endsWith('.js')) {
    response.setHeader('content-type', 'text/javascript').end(await readFile(new URL(basename(pathname), browser)));
  } else {
    const page = await engine.handle(request);
    if (page) await writeResponseToNodeResponse(page, response);
    else response.writeHead(404).end();
  }
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    console.error(error);
    response.writeHead(500).end();
  });
});
server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
