// Serves the function under a function URL of its own, and a page that reads it.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import { installAwslambda, startLocalLambda } from 'rx-lambda-stream/local';

const here = new URL('.', import.meta.url).pathname;

installAwslambda();
const { handler } = await import('./orders.js');

const { outputFiles } = await build({
  entryPoints: [`${here}page.ts`],
  bundle: true,
  format: 'esm',
  write: false,
  outdir: here,
});
const script = outputFiles[0]?.text ?? '';

const page = createServer((request, response) => {
  if (request.url === '/page.js') {
    response.setHeader('content-type', 'text/javascript').end(script);
    return;
  }
  const url = local.functionUrls['orders'] ?? '';
  response.setHeader('content-type', 'text/html');
  response.end(`<!doctype html><title>Orders</title><body data-function-url="${url}">
<script type="module" src="/page.js"></script>`);
});
await new Promise<void>((resolve) => page.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;

const local = await startLocalLambda({ functions: { orders: handler }, functionUrls: true, cors: [origin] });
console.log(`${origin}/?count=20&trouble=cut&run=1`);
