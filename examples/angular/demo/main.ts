/**
 * `npm run demo:angular`: the built application and a local Lambda endpoint, both on 127.0.0.1. The server also has the
 * relay, for `BUILD=relay` after `npm --prefix examples/angular run build:relay`.
 */
import { fileURLToPath } from 'node:url';
import { startLocalLambda } from 'rx-lambda-stream/local';
import { startAppServer } from './app-server.js';
import { createFunctions } from './functions.js';
import { startRelay } from './relay.js';

const port = Number(process.env['PORT'] ?? 4200);
const build = process.env['BUILD'] ?? 'zoneless';
const app = await startAppServer({
  directory: fileURLToPath(new URL(`../dist/${build}/browser/`, import.meta.url)),
  config: () => local.clientConfig,
  relay: (request, response) => relay.listener(request, response),
  port,
});
const local = await startLocalLambda({
  functions: createFunctions({ retryAfterSeconds: 4 }),
  cors: [app.origin],
  keepRequests: false,
  onInvocation: ({ request, closedEarly, durationMs }) => {
    const end = closedEarly ? 'closed by the page' : `answered with ${request.statusCode}`;
    console.log(`${request.functionName}: ${end} after ${durationMs.toFixed(0)} ms`);
  },
});
const relay = startRelay(local);
console.log(`The page:            ${app.origin}\nThe Lambda endpoint: ${local.endpoint}\nCtrl+C ends both.`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void Promise.all([relay.close(), app.close(), local.close()]));
}
