import { LambdaClient } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream, TruncatedStreamError } from 'rx-lambda-stream';
import { scripted, startLocalLambda, streamifyResponse } from 'rx-lambda-stream/local';
import { lastValueFrom } from 'rxjs';

const local = await startLocalLambda({
  functions: {
    count: async function* (event: { to: number }) {
      for (let n = 1; n <= event.to; n++) yield `${n}\n`;
    },
    hello: streamifyResponse(async (event: { name: string }, responseStream) => {
      responseStream.setContentType('text/plain');
      responseStream.write(`Hello ${event.name}`);
      await new Promise((resolve) => responseStream.end(resolve));
    }),
    broken: scripted([{ chunk: 'half of the ans' }, { waitMs: 50 }, 'reset']),
  },
});
const client = new LambdaClient(local.clientConfig);

const broken = lastValueFrom(invokeWithResponseStream(client, { FunctionName: 'broken' }));
await broken.catch((error: unknown) => {
  if (error instanceof TruncatedStreamError) console.log(`cut after ${error.bytes} bytes`);
});
console.log(`${local.requests.length} request was sent`);

client.destroy();
await local.close();
