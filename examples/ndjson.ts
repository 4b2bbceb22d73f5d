import { LambdaClient } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream, parseNdjson } from 'rx-lambda-stream';

interface Row {
  id: number;
  title: string;
}

invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'rows' })
  .pipe(parseNdjson<Row>({ onInvalid: (error) => console.warn(error.message) }))
  .subscribe({
    next: ({ id, title }) => console.log(`${id}: ${title}`),
    error: (error) => console.error(error),
  });
