/** A machine of its own: a process with one client of Redis and one log. Its parent tells it what to consume. */
import { LambdaClient } from '@aws-sdk/client-lambda';
import type { Subscription } from 'rxjs';
import { invokeWithResponseStream, isLambdaStreamError } from '../../src/index.js';
import { followInvocation, joinInvocation, stopInvocation, type OpenInvocation } from '../../src/log/index.js';
import { redisLog } from '../../src/redis/index.js';
import { openClientTo } from './clients.js';
import type { ConsumerReport, MachineOrder, MachineSettings } from './machine.js';
import { areNumbered } from './numbered-bytes.js';

const settings = JSON.parse(process.env.MACHINE ?? '') as MachineSettings;
const lambda = new LambdaClient({
  region: 'eu-central-1',
  endpoint: settings.endpoint,
  credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
});
const { client, close: closeClient } = await openClientTo(settings.client, settings.ports);
const log = redisLog({ client });
const consumers = new Map<number, Subscription>();

const tell = (report: ConsumerReport): void => void process.send?.(report);

process.on('unhandledRejection', (error) => {
  tell({ type: 'fault', message: String(error) });
});

process.on('message', (order: MachineOrder) => {
  switch (order.type) {
    case 'join':
      consume(order);
      break;
    case 'leave':
      consumers.get(order.id)?.unsubscribe();
      tell({ type: 'left', id: order.id });
      break;
    case 'stop':
      void stopInvocation(log, order.key).then(() => tell({ type: 'done', id: order.id }));
      break;
    case 'close':
      void log.close().then(() => tell({ type: 'done', id: order.id }));
      break;
  }
});
process.once('disconnect', () => process.exit());
// As the guide says. The process ends as soon as the log is closed: what the others need stands in the log by then.
process.once('SIGTERM', () => {
  void log.close().then(() => {
    closeClient();
    process.exit();
  });
});

function consume({ id, key, follow, functionName, payload, options }: Extract<MachineOrder, { type: 'join' }>): void {
  const openInvocation: OpenInvocation = (pauseWhile) => {
    tell({ type: 'opened', id });
    return invokeWithResponseStream(lambda, { FunctionName: functionName, Payload: payload }, { pauseWhile });
  };
  let bytes = 0;
  let isWhole = true;
  const kinds: string[] = [];
  const end = (error?: unknown): void => {
    const described =
      error === undefined
        ? undefined
        : {
            name: (error as Error).name,
            message: (error as Error).message,
            ...(isLambdaStreamError(error) && {
              code: error.code,
              fields: JSON.parse(JSON.stringify(error)) as object,
            }),
          };
    tell({ type: 'end', id, bytes, isWhole, kinds, ...(described && { error: described }) });
  };
  const { after } = options;
  const source = follow
    ? followInvocation(log, key, after === undefined ? {} : { after })
    : joinInvocation(log, key, openInvocation, options);
  const subscription = source.subscribe({
    next: (event) => {
      const [, position] = event.position.split('-').map(Number) as [number, number];
      if (event.type !== 'chunk') {
        kinds.push(event.type === 'retry' ? `retry ${event.mode}` : event.type);
        if (event.type === 'retry' && event.mode === 'restart') bytes = 0;
      } else {
        const from = position - event.payload.length;
        // A consumer that goes on after a position counts from there.
        if (bytes === 0) bytes = from;
        if (from !== bytes || !areNumbered(event.payload, from)) isWhole = false;
        bytes = position;
      }
      tell({ type: 'progress', id, bytes, position: event.position });
    },
    error: end,
    complete: () => end(),
  });
  consumers.set(id, subscription);
}

tell({ type: 'ready' });
