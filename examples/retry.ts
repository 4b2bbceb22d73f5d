import { LambdaClient } from '@aws-sdk/client-lambda';
import { decodeText, invokeWithResponseStream, retryInvocation } from 'rx-lambda-stream';
import { tap } from 'rxjs';

invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'chat', Payload: { prompt: 'Hello' } })
  .pipe(
    retryInvocation(),
    tap((event) => {
      if (event.type === 'retry') console.error(`attempt ${event.attempt} in ${event.delayMs} ms`);
    }),
    decodeText(),
  )
  .subscribe({
    next: (text) => process.stdout.write(text),
    error: (error) => console.error(error),
  });
