// npx tsx examples/relay/main.ts, then open the page it names in two windows.
import { LambdaClient } from '@aws-sdk/client-lambda';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as slowly } from 'node:timers/promises';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { startLocalLambda } from 'rx-lambda-stream/local';
import { createRelay, RelayRefusal } from 'rx-lambda-stream/relay';

// With AWS: new LambdaClient({}), and a function named report.
const local = await startLocalLambda({
  functions: {
    report: async function* ({ id }: { id: string }) {
      for (let line = 1; line <= 100; line++) yield await slowly(200, `${id}, line ${line}\n`);
    },
  },
});
const client = new LambdaClient(local.clientConfig);

const relay = createRelay({
  authorize({ request }) {
    const id = /^\/reports\/([\w-]{1,64})$/.exec(new URL(request.url).pathname)?.[1];
    if (id === undefined) throw new RelayRefusal(404, 'No such report');
    const input = { FunctionName: 'report', Payload: { id } };
    return { key: ['report', id], open: (pauseWhile) => invokeWithResponseStream(client, input, { pauseWhile }) };
  },
});

const page = readFileSync(new URL('page.html', import.meta.url));
const server = createServer((request, response) => {
  if (request.url === '/') response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
  else relay.listener(request, response);
});
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
await once(server, 'listening');
export const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/#today`;
console.log(`Listening on ${url}`);
