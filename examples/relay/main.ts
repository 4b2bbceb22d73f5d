// npx tsx examples/relay/main.ts, with AWS credentials and a function named report, and http://127.0.0.1:3000/#today in
// two windows. Without AWS: npm run demo -- --relay
import { LambdaClient } from '@aws-sdk/client-lambda';
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { createRelay, RelayRefusal } from 'rx-lambda-stream/relay';

const client = new LambdaClient();
const relay = createRelay({
  authorize({ request }) {
    const [, id] = /^\/reports\/([\w-]{1,64})$/.exec(new URL(request.url).pathname) ?? [];
    if (id === undefined) throw new RelayRefusal(404, 'No such report');
    const input = { FunctionName: 'report', Payload: { id } };
    return { key: ['report', id], open: (pauseWhile) => invokeWithResponseStream(client, input, { pauseWhile }) };
  },
});
export const server = createServer((request, response) => {
  if (request.url === '/') createReadStream(new URL('page.html', import.meta.url)).pipe(response);
  else relay.listener(request, response);
}).listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
