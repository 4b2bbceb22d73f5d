// One of the nodes that main.ts starts. It prints its port.
import { LambdaClient } from '@aws-sdk/client-lambda';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from 'redis';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { redisLog } from 'rx-lambda-stream/redis';
import { createRelay, RelayRefusal } from 'rx-lambda-stream/relay';

const client = new LambdaClient({
  endpoint: process.env.LAMBDA_ENDPOINT ?? '',
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
});
const redis = await createClient({ url: `redis://127.0.0.1:${process.env.REDIS_PORT ?? ''}` }).connect();
const log = redisLog({ client: redis });

const relay = createRelay({
  log,
  authorize({ request }) {
    const id = /^\/reports\/([\w-]{1,64})$/.exec(new URL(request.url).pathname)?.[1];
    if (id === undefined) throw new RelayRefusal(404, 'No such report');
    const input = { FunctionName: 'report', Payload: { id } };
    return {
      key: ['report', id],
      open: (pauseWhile) => invokeWithResponseStream(client, input, { pauseWhile }),
      // A report may be made twice: where a node dies, the other one makes it anew, and pages start over.
      idempotent: true,
      afterProducerLoss: 'restart',
    };
  },
});

const server = createServer(relay.listener);
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
