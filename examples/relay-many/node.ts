// One of the nodes that main.ts starts.
import { LambdaClient } from '@aws-sdk/client-lambda';
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { createClient } from 'redis';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { redisLog } from 'rx-lambda-stream/redis';
import { createRelay, RelayRefusal, type RelayOptions } from 'rx-lambda-stream/relay';

const client = new LambdaClient();
const authorize: RelayOptions['authorize'] = ({ request }) => {
  const [, id] = /^\/reports\/([\w-]{1,64})$/.exec(new URL(request.url).pathname) ?? [];
  if (id === undefined) throw new RelayRefusal(404, 'No such report');
  const input = { FunctionName: 'report', Payload: { id } };
  return {
    key: ['report', id],
    open: (pauseWhile) => invokeWithResponseStream(client, input, { pauseWhile }),
    // A report may be made twice: where a node dies, the other one makes it anew, and pages start over.
    idempotent: true,
    afterProducerLoss: 'restart',
  };
};

// #region redis
const url = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
const redis = await createClient({ url }).on('error', console.error).connect();
const log = redisLog({ client: redis });
const relay = createRelay({ log, authorize });
// #endregion

const server = createServer((request, response) => {
  if (request.url === '/') createReadStream(new URL('../relay/page.html', import.meta.url)).pipe(response);
  else relay.listener(request, response);
}).listen(Number(process.env.PORT ?? 3000), '127.0.0.1', (): void => {
  console.log(`Process ${process.pid} listens on`, server.address());
});

// #region deploy
process.once('SIGTERM', () => {
  server.close();
  void relay
    .close()
    .then(() => log.close())
    .then(() => process.exit());
});
// #endregion
