/**
 * `npm run demo:angular`: the built application and a local Lambda endpoint, both on 127.0.0.1.
 */
import { fileURLToPath } from 'node:url';
import { startLocalLambda } from 'rx-lambda-stream/local';
import { startAppServer } from './app-server.js';
import { createFunctions } from './functions.js';

const port = Number(process.env['PORT'] ?? 4200);
const app = await startAppServer({
  directory: fileURLToPath(new URL('../dist/zoneless/browser/', import.meta.url)),
  config: () => local.clientConfig,
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
console.log(`The page:            ${app.origin}\nThe Lambda endpoint: ${local.endpoint}\nCtrl+C ends both.`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void Promise.all([app.close(), local.close()]));
}
