import { LambdaClient } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import type { LocalLambda } from 'rx-lambda-stream/local';
import { createRelay, RelayRefusal, type Relay } from 'rx-lambda-stream/relay';

/** What a page may call. */
const allowed = ['chat', 'orders'];

/** The server's half of `source.relay.ts`: it has the client and its credentials, and says who may call what. */
export function startRelay(local: LocalLambda): Relay {
  const client = new LambdaClient(local.clientConfig);
  const relay = createRelay({
    // An application checks its session here: the request has the cookies.
    authorize({ functionName = '', payload }) {
      if (!allowed.includes(functionName)) throw new RelayRefusal(404, 'There is no such function');
      const input = { FunctionName: functionName, Payload: payload };
      return { open: (pauseWhile) => invokeWithResponseStream(client, input, { pauseWhile }) };
    },
  });
  return {
    ...relay,
    close: async () => {
      await relay.close();
      client.destroy();
    },
  };
}
