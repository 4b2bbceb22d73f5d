import { LambdaClient } from '@aws-sdk/client-lambda';
import { decodeText, invokeWithResponseStream, retryInvocation } from 'rx-lambda-stream';
import { map, tap } from 'rxjs';

let text = '';

invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'chat', Payload: { prompt: 'Hello' } })
  .pipe(
    retryInvocation({ idempotent: true, afterFirstChunk: 'restart' }),
    tap((event) => {
      if (event.type === 'retry' && event.mode === 'restart') text = '';
    }),
    decodeText(),
    map((piece) => (text += piece)),
  )
  .subscribe({
    next: (soFar) => console.log(soFar),
    error: (error) => console.error(error),
  });
