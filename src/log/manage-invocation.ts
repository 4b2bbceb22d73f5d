import { firstValueFrom, type Observable } from 'rxjs';
import { InvocationStoppedError, ProducerLostError } from '../errors.js';
import { placeOf, positionOf, type Position } from './entry-id.js';
import type { InvocationLog, LogState, LogStatus } from './invocation-log.js';
import { checkLogAndKey, defaultLeaseMs } from './log-arguments.js';
import { createLogCalls, type LogCalls } from './log-calls.js';
import { decodeEnding, encodeEnding } from './log-records.js';

/** What {@link inspectInvocation} tells. */
export interface InvocationInspection {
  readonly state: LogStatus;
  /** The position after the newest entry. */
  readonly position: Position;
  readonly generation: number;
  /** The error that a consumer gets. Present if the state is neither 'running' nor 'complete'. */
  readonly error?: unknown;
}

/**
 * Stops a running invocation, from any machine. Its connection closes, and every consumer gets an
 * `InvocationStoppedError`. Consumers that join later get the same error until `ttlMs` is over, so that a reload does
 * not invoke again.
 *
 * Resolves when the stop is written into the log. It does not change an invocation that has ended. A key that nobody
 * has begun is not stopped: the call resolves, and the next consumer invokes.
 *
 * @throws LogUnavailableError as a rejection.
 */
export async function stopInvocation(log: InvocationLog, key: string): Promise<void> {
  await stop(callsOf('stopInvocation', log, key));
}

/** Returns the state of an invocation, or undefined for a key that the log does not have. */
export async function inspectInvocation(log: InvocationLog, key: string): Promise<InvocationInspection | undefined> {
  const state = await answerOf(callsOf('inspectInvocation', log, key).inspect());
  if (state === undefined) return undefined;
  const error = errorOf(key, state);
  return {
    state: state.status,
    position: positionOf(placeOf(state.last)),
    generation: state.generation,
    ...(error !== undefined && { error }),
  };
}

/**
 * Removes everything that the log holds of a key. The next consumer to join invokes anew. A running invocation is
 * stopped first.
 *
 * @throws LogUnavailableError as a rejection.
 */
export async function forgetInvocation(log: InvocationLog, key: string): Promise<void> {
  const calls = callsOf('forgetInvocation', log, key);
  await stop(calls);
  await answerOf(calls.forget());
}

function callsOf(caller: string, log: InvocationLog, key: string): LogCalls {
  checkLogAndKey(caller, log, key);
  return createLogCalls(log, key, () => defaultLeaseMs);
}

async function stop(calls: LogCalls): Promise<void> {
  await answerOf(calls.seal({ condition: 'running', end: 'stopped', record: encodeEnding({ end: 'stopped' }) }));
}

const answerOf = <T>(answer: Observable<T>): Promise<T | undefined> =>
  firstValueFrom(answer, { defaultValue: undefined });

function errorOf(key: string, { status, end, last }: LogState): unknown {
  const position = positionOf(placeOf(last));
  const ending = end === undefined ? undefined : decodeEnding(end);
  if (ending?.end === 'failed') return ending.error;
  if (ending?.end === 'lost') return new ProducerLostError({ key, position, reason: ending.reason });
  if (status === 'stopped') return new InvocationStoppedError({ key, position });
  return status === 'abandoned' ? new ProducerLostError({ key, position, reason: 'abandoned' }) : undefined;
}
