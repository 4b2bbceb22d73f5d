import { LambdaClient } from '@aws-sdk/client-lambda';
import { decodeText, invokeWithResponseStream, isLambdaStreamError } from 'rx-lambda-stream';
import { tap } from 'rxjs';

let chunks = 0;

invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'chat' })
  .pipe(
    tap(({ type }) => (chunks += type === 'chunk' ? 1 : 0)),
    decodeText(),
  )
  .subscribe({
    next: (text) => process.stdout.write(text),
    error(error) {
      if (!isLambdaStreamError(error)) console.error('AWS, or the network:', error);
      else if (error.code === 'function-error') console.error('The function failed:', error.errorMessage, { chunks });
      else if (error.code === 'truncated') console.error(`Cut after ${error.bytes} bytes`);
      else console.error(error.message);
    },
  });
