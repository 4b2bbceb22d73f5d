import { LambdaClient } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream, parseSse } from 'rx-lambda-stream';
import { takeWhile } from 'rxjs';

invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'completions' })
  .pipe(
    parseSse(),
    takeWhile(({ data }) => data !== '[DONE]'),
  )
  .subscribe({
    next: ({ event, data }) => console.log(event ?? 'message', data),
    error: (error) => console.error(error),
  });
