import { LambdaClient } from '@aws-sdk/client-lambda';
import { createFlowControl, invokeWithResponseStream, parseNdjson } from 'rx-lambda-stream';
import { setTimeout as slowly } from 'node:timers/promises';
import { catchError, of, throwError } from 'rxjs';
import { z } from 'zod';

const Row = z.object({ id: z.number(), day: z.string() });

/** Stands for a slow database. */
const save = (row: z.infer<typeof Row>): Promise<number> => slowly(20, row.id);

const flow = createFlowControl();

invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'rows' }, { pauseWhile: flow.paused })
  .pipe(
    parseNdjson({ schema: Row }),
    catchError((error: unknown) => of({ error })), // waits its turn behind the rows
    flow.mergeMap((row) => ('error' in row ? throwError(() => row.error) : save(row)), 1),
  )
  .subscribe({
    next: (id) => console.log('saved', id),
    error: (error) => console.error(String(error)),
  });
