import { LambdaClient } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream, toReadableStream } from 'rx-lambda-stream';
import { startLocalLambda } from 'rx-lambda-stream/local';
import { filter, map } from 'rxjs';

const local = await startLocalLambda({
  functions: {
    numbers: async function* () {
      for (let number = 1; number <= 5; number++) yield `${number}\n`;
    },
  },
});
const client = new LambdaClient(local.clientConfig);

const body = toReadableStream((pauseWhile) =>
  invokeWithResponseStream(client, { FunctionName: 'numbers' }, { pauseWhile }).pipe(
    filter((event) => event.type === 'chunk'),
    map((event) => event.payload),
  ),
);
console.log(await new Response(body).text());

client.destroy();
await local.close();
