import { LambdaClient } from '@aws-sdk/client-lambda';
import { pino } from 'pino';
import { decodeText, invokeWithResponseStream, observeInvocation, retryInvocation } from 'rx-lambda-stream';

const logger = pino();

invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'chat' })
  .pipe(
    retryInvocation(),
    observeInvocation(({ error, ...report }) => {
      const log = { functionName: 'chat', ...report, ...(error !== undefined && { err: error }) };
      if (report.outcome === 'failed') logger.error(log, 'invocation failed');
      else logger.info(log, `invocation ${report.outcome}`);
    }),
    decodeText(),
  )
  .subscribe({ error: () => (process.exitCode = 1) });
