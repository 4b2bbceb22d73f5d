import { LambdaClient } from '@aws-sdk/client-lambda';
import { decodeText, invokeWithResponseStream } from 'rx-lambda-stream';
import { fromEvent, takeUntil, timeout } from 'rxjs';

const ctrlC = fromEvent(process, 'SIGINT');

invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'chat', Payload: { prompt: 'Hello' } })
  .pipe(timeout({ first: 30_000, each: 10_000 }), decodeText(), takeUntil(ctrlC))
  .subscribe({
    next: (text) => process.stdout.write(text),
    error: (error) => console.error(error), // a TimeoutError among others
    complete: () => console.log('\n(complete, or cancelled)'),
  });
