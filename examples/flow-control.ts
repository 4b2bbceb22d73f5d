import { LambdaClient } from '@aws-sdk/client-lambda';
import { createFlowControl, invokeWithResponseStream, parseNdjson } from 'rx-lambda-stream';
import { setTimeout as slowly } from 'node:timers/promises';

const save = (row: unknown): Promise<unknown> => slowly(5, row);

const flow = createFlowControl({ highWaterMark: 32 });

invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'rows' }, { pauseWhile: flow.paused })
  .pipe(parseNdjson(), flow.mergeMap(save, 4))
  .subscribe({
    next: (row) => console.log('saved', row),
    error: (error) => console.error(error),
  });
