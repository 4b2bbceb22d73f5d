// npx tsx examples/relay/main.ts, then open the page it names in two windows.
import { LambdaClient } from '@aws-sdk/client-lambda';
import type { AddressInfo } from 'node:net';
import { setTimeout as slowly } from 'node:timers/promises';
import { startLocalLambda } from 'rx-lambda-stream/local';
import { createRelayServer } from './server.js';

// With AWS: new LambdaClient({}), and functions named chat and report.
const local = await startLocalLambda({
  functions: {
    chat: async function* ({ prompt }: { prompt: string }) {
      for (const word of `You said: ${prompt}`.split(/(?= )/)) yield await slowly(100, word);
    },
    report: async function* ({ id }: { id: string }) {
      for (let line = 1; line <= 100; line++) yield await slowly(200, `${id}, line ${line}\n`);
    },
  },
});
const server = createRelayServer(new LambdaClient(local.clientConfig));
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`Listening on http://127.0.0.1:${(server.address() as AddressInfo).port}/#today`);
});
