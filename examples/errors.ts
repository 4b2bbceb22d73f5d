import { LambdaClient } from '@aws-sdk/client-lambda';
import { decodeText, invokeWithResponseStream, isLambdaStreamError } from 'rx-lambda-stream';

invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'chat' })
  .pipe(decodeText())
  .subscribe({
    next: (text) => process.stdout.write(text),
    error(error) {
      if (!isLambdaStreamError(error)) console.error('AWS, or the network:', error);
      else if (error.code === 'function-error') console.error('The function failed:', error.errorMessage);
      else if (error.code === 'truncated') console.error(`Cut after ${error.bytes} bytes`);
      else console.error(error.message);
    },
  });
