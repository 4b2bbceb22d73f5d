import { LambdaClient } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream, parseNdjson } from 'rx-lambda-stream';
import { z } from 'zod';

const Row = z.object({ id: z.number(), day: z.iso.date() });

invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'rows' })
  .pipe(parseNdjson({ schema: Row }))
  .subscribe({
    next: ({ id, day }) => console.log(`${id.toFixed(1)} on ${day}`), // number and string, from the schema
    error: (error) => console.error(String(error)), // the line, its offset, the path within the record
  });
