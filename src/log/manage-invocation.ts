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
  /** How far the invocation has come. */
  readonly position: Position;
  readonly generation: number;
  /** What a consumer is told: present where the state is neither 'running' nor 'complete'. */
  readonly error?: unknown;
}

/**
 * Stops a running invocation, from any machine: its connection is closed, and every consumer gets an
 * `InvocationStoppedError`. So does everybody who joins until `ttlMs` is over: a reload must not invoke again.
 *
 * Resolves when the stop is written down. Of what does not run it changes nothing.
 *
 * @throws LogUnavailableError as a rejection.
 */
export async function stopInvocation(log: InvocationLog, key: string): Promise<void> {
  await stop(callsOf('stopInvocation', log, key));
}

/** Tells how an invocation stands; undefined for a key that the log does not know. */
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
 * Removes all that the log holds of a key: the next one to join invokes anew. A running invocation is stopped first.
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
