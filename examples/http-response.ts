import { LambdaClient } from '@aws-sdk/client-lambda';
import { decodeHttpResponse, decodeText, invokeWithResponseStream } from 'rx-lambda-stream';

invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'site' })
  .pipe(decodeHttpResponse({ failOnStatus: true }), decodeText())
  .subscribe({
    next: (html) => process.stdout.write(html),
    error: (error) => console.error(error),
  });
