import { LambdaClient } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream, parseNdjson, retryInvocation } from 'rx-lambda-stream';
import { tap } from 'rxjs';

let after = 0;

invokeWithResponseStream(new LambdaClient({}), () => ({ FunctionName: 'rows', Payload: { after } }))
  .pipe(
    retryInvocation({ idempotent: true, afterFirstChunk: 'continue' }),
    parseNdjson<{ id: number }>(),
    tap((row) => (after = row.id)), // the next attempt asks for the rows after this one
  )
  .subscribe({
    next: ({ id }) => console.log(`row ${id}`),
    error: (error) => console.error(error),
  });
