import { LambdaClient } from '@aws-sdk/client-lambda';
import { decodeText, invokeWithResponseStream } from 'rx-lambda-stream';

const client = new LambdaClient({});

const subscription = invokeWithResponseStream(client, { FunctionName: 'chat', Payload: { prompt: 'Hello' } })
  .pipe(decodeText())
  .subscribe({
    next: (text) => process.stdout.write(text), // as the function writes it; characters are never cut
    error: (error) => console.error(error), // anything short of a complete response, typed
    complete: () => console.log('\n(complete)'), // Lambda said so
  });

process.once('SIGINT', () => subscription.unsubscribe()); // closes the connection
