import { LambdaClient } from '@aws-sdk/client-lambda';
import { createFlowControl, invokeWithResponseStream, parseNdjson } from 'rx-lambda-stream';
import { setTimeout as slowly } from 'node:timers/promises';
import { z } from 'zod';

const Row = z.object({ id: z.number(), day: z.string() });

/** Stands for a slow database. */
const save = (row: z.infer<typeof Row>): Promise<number> => slowly(20, row.id);

const flow = createFlowControl({ highWaterMark: 32 });

invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'rows' }, { pauseWhile: flow.paused })
  .pipe(parseNdjson({ schema: Row }), flow.mergeMap(save, 4))
  .subscribe({
    next: (id) => console.log('saved', id),
    error: (error) => console.error(error),
  });
