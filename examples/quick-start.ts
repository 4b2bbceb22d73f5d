import { LambdaClient } from '@aws-sdk/client-lambda';
import { decodeText, invokeWithResponseStream } from 'rx-lambda-stream';

const client = new LambdaClient({});

const subscription = invokeWithResponseStream(client, { FunctionName: 'hello', Payload: { name: 'Ada' } })
  .pipe(decodeText())
  .subscribe({
    next: (text) => process.stdout.write(text), // at once, while the function is still writing
    error: (error) => console.error(error), // anything but a complete response, with a type
    complete: () => console.log('(complete)'), // Lambda said so
  });

process.once('SIGINT', () => subscription.unsubscribe()); // Ctrl-C closes the connection
