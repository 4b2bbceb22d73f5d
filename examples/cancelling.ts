import { LambdaClient } from '@aws-sdk/client-lambda';
import { decodeText, invokeWithResponseStream } from 'rx-lambda-stream';
import { timeout, TimeoutError } from 'rxjs';

const subscription = invokeWithResponseStream(new LambdaClient({}), {
  FunctionName: 'chat',
  Payload: { prompt: 'Hello' },
})
  .pipe(decodeText(), timeout({ first: 30_000, each: 10_000 }))
  .subscribe({
    next: (text) => process.stdout.write(text),
    error: (error) => console.error(error instanceof TimeoutError ? '\ntoo slow' : error),
    complete: () => console.log('\n(complete)'),
  });

process.once('SIGINT', () => {
  subscription.unsubscribe();
  console.error('\nstopped');
  process.exitCode = 130;
});
