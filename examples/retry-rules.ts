import { LambdaClient } from '@aws-sdk/client-lambda';
import {
  createRetryBudget,
  decodeText,
  FunctionError,
  invokeWithResponseStream,
  retryInvocation,
} from 'rx-lambda-stream';

const budget = createRetryBudget(); // one per service, for the life of the application

invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'chat', Payload: { prompt: 'Hello' } })
  .pipe(
    retryInvocation({
      budget,
      // This function answers "busy" with an error of its own, before it does anything.
      classify: (error) =>
        error instanceof FunctionError && error.errorType === 'BusyError'
          ? { verdict: 'soon', mayHaveRun: false }
          : undefined, // the default
    }),
    decodeText(),
  )
  .subscribe({
    next: (text) => process.stdout.write(text),
    error: (error) => console.error(error),
  });
