/**
 * A process that reads one stream a round, and leaves it at the first chunk: its arguments are the reader and the port.
 */
import { InvokeWithResponseStreamCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { ours, sdkLoop } from '../events/readers.js';
import { makeClient } from '../harness/make-client.js';
import { serveRounds } from '../harness/serve-rounds.js';
import { latencyFunction, type ClientMoments } from './moments.js';

const FunctionName = latencyFunction;

const leavers: Readonly<Record<string, (client: LambdaClient) => Promise<ClientMoments>>> = {
  [ours]: (client) =>
    new Promise((resolve, reject) => {
      let headAt = 0n;
      const subscription = invokeWithResponseStream(client, { FunctionName }).subscribe({
        next({ type }) {
          if (type === 'head') {
            headAt = process.hrtime.bigint();
          } else {
            const leftAt = process.hrtime.bigint();
            subscription.unsubscribe();
            resolve({ headAt, leftAt });
          }
        },
        error: reject,
      });
    }),

  async [sdkLoop](client) {
    const controller = new AbortController();
    const { signal: abortSignal } = controller;
    const { EventStream } = await client.send(new InvokeWithResponseStreamCommand({ FunctionName }), { abortSignal });
    const headAt = process.hrtime.bigint();
    for await (const _event of EventStream!) {
      const leftAt = process.hrtime.bigint();
      // `break` alone would leave the connection open.
      controller.abort();
      return { headAt, leftAt };
    }
    throw new Error('The stream ended before its first event');
  },
};

const [, , name = '', port] = process.argv;
const leave = leavers[name];
if (leave === undefined) throw new TypeError(`There is no reader ${name}`);
const client = makeClient(Number(port));
serveRounds(() => () => leave(client));
