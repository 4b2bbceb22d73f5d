import { LambdaClient } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream, retryInvocation, toSnapshots, type Snapshot } from 'rx-lambda-stream';
import { map } from 'rxjs';

/** What a screen shows in each state. */
function describe(snapshot: Snapshot): string {
  switch (snapshot.status) {
    case 'connecting':
      return 'Waiting for the function';
    case 'streaming':
      return `So far: ${snapshot.text}`;
    case 'retrying':
      return `Attempt ${snapshot.retry.attempt} begins in ${(snapshot.retry.delayMs / 1000).toFixed(1)} s`;
    case 'complete':
      return `The answer: ${snapshot.text}`;
    case 'failed':
      return `Failed: ${String(snapshot.error)}`;
  }
}

invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'chat', Payload: { prompt: 'Hello' } })
  .pipe(retryInvocation({ idempotent: true, afterFirstChunk: 'restart' }), toSnapshots(), map(describe))
  .subscribe((line) => console.log(line));
