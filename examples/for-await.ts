import { LambdaClient } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream, parseNdjson, toAsyncIterable } from 'rx-lambda-stream';
import { startLocalLambda } from 'rx-lambda-stream/local';

const local = await startLocalLambda({
  functions: {
    rows: async function* () {
      for (let id = 1; id <= 100; id++) yield `${JSON.stringify({ id })}\n`;
    },
  },
});
const client = new LambdaClient(local.clientConfig);

// While the loop's body works, the response is not read on.
const rows = toAsyncIterable((pauseWhile) =>
  invokeWithResponseStream(client, { FunctionName: 'rows' }, { pauseWhile }).pipe(parseNdjson<{ id: number }>()),
);
for await (const { id } of rows) {
  console.log(id);
  // Leaving the loop closes the connection.
  if (id === 3) break;
}

client.destroy();
await local.close();
