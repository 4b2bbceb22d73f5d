import { LambdaClient } from '@aws-sdk/client-lambda';
import { createClient } from 'redis';
import { decodeText, invokeWithResponseStream } from 'rx-lambda-stream';
import { joinInvocation } from 'rx-lambda-stream/log';
import { redisLog } from 'rx-lambda-stream/redis';
import { tap } from 'rxjs';

/** What a machine tells the process that started it. */
export type MachineReport =
  | { readonly type: 'invokes' | 'ended' }
  | { readonly type: 'retry'; readonly mode: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'failed'; readonly message: string };

const { REDIS_URL = '', LAMBDA_ENDPOINT = '' } = process.env;
const tell = (report: MachineReport): void => void process.send?.(report);

const lambda = new LambdaClient({
  endpoint: LAMBDA_ENDPOINT,
  region: 'eu-central-1',
  credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
});
// #region redis
const client = await createClient({ url: REDIS_URL }).on('error', console.error).connect();
const log = redisLog({ client });
// #endregion
process.once('SIGTERM', () => void log.close().then(() => process.exit()));

joinInvocation(
  log,
  'story',
  (pauseWhile) => {
    tell({ type: 'invokes' });
    return invokeWithResponseStream(lambda, { FunctionName: 'story' }, { pauseWhile });
  },
  { leaseMs: 1_000, idempotent: true, afterProducerLoss: 'replay' },
)
  .pipe(
    tap((event) => {
      if (event.type === 'retry') tell({ type: 'retry', mode: event.mode });
    }),
    decodeText(),
  )
  .subscribe({
    next: (text) => tell({ type: 'text', text }),
    error: (error: unknown) => tell({ type: 'failed', message: String(error) }),
    complete: () => {
      tell({ type: 'ended' });
      process.disconnect();
      void log.close().then(() => client.destroy());
    },
  });
