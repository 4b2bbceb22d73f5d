import { LambdaClient } from '@aws-sdk/client-lambda';
import { decodeText, invokeWithResponseStream } from 'rx-lambda-stream';

const client = new LambdaClient({});

const subscription = invokeWithResponseStream(client, { FunctionName: 'hello', Payload: { name: 'Ada' } })
  .pipe(decodeText())
  .subscribe({
    next: (text) => process.stdout.write(text), // at once, while the function is still writing
    error: (error) => console.error(error), // a failure, or a response that was cut
    complete: () => console.log('(complete)'), // Lambda reported the end
  });

process.once('SIGINT', () => subscription.unsubscribe()); // Ctrl-C closes the connection
