import { AsyncSubject, from, take, type Observable } from 'rxjs';
import { isLambdaStreamError, LogUnavailableError } from '../errors.js';
import { createDeadlines, type Deadlines } from './deadlines.js';
import type {
  AppendAnswer,
  AppendRequest,
  InvocationLog,
  JoinAnswer,
  JoinRequest,
  LogAnswer,
  LogPage,
  LogRoster,
  LogState,
  ReadRequest,
  RenewRequest,
  RestartRequest,
  SealAnswer,
  SealRequest,
} from './invocation-log.js';
import { answerLimitMs } from './log-arguments.js';

type WithoutKey<T> = Omit<T, 'key'>;

/** A log's methods for one key. The calls are made at once; an answer waits for whoever subscribes. */
export interface LogCalls {
  readonly key: string;
  join(request: WithoutKey<JoinRequest>): Observable<JoinAnswer | undefined>;
  append(request: WithoutKey<AppendRequest>): Observable<AppendAnswer>;
  restart(request: WithoutKey<RestartRequest>): Observable<AppendAnswer>;
  read(request: WithoutKey<ReadRequest>): Observable<LogPage | undefined>;
  renew(request: WithoutKey<RenewRequest>): Observable<LogRoster | undefined>;
  leave(member: string): Observable<void>;
  seal(request: WithoutKey<SealRequest>): Observable<SealAnswer>;
  inspect(): Observable<LogState | undefined>;
  forget(): Observable<void>;
}

/** All keys of a log share one timer. */
const deadlinesOfLogs = new WeakMap<InvocationLog, Deadlines>();

/**
 * Makes the calls for a key. All failures become a LogUnavailableError, and so does an answer that does not come for
 * three leases.
 */
export function createLogCalls(log: InvocationLog, key: string, leaseMs: () => number): LogCalls {
  const deadlines = deadlinesOfLogs.get(log) ?? createDeadlines();
  deadlinesOfLogs.set(log, deadlines);

  /** Written by hand, without an operator for each rule: it runs for each token (`npm run bench -- log`). */
  function ask<T>(send: () => LogAnswer<T>): Observable<T> {
    const answer = new AsyncSubject<T>();
    const call = { isOver: false };
    let callOff: (() => void) | undefined;
    const end = (): void => {
      call.isOver = true;
      callOff?.();
    };
    const answered = (value: T): void => {
      end();
      answer.next(value);
      answer.complete();
    };
    const failed = (error: unknown): void => {
      end();
      answer.error(asUnavailable(error));
    };
    const unanswered = (): void => {
      if (!call.isOver) failed(unavailable('it has no answer'));
    };
    try {
      const given = send();
      if (isPromise(given)) given.then(answered, failed);
      else from(given).pipe(take(1)).subscribe({ next: answered, error: failed, complete: unanswered });
    } catch (error) {
      failed(error);
    }
    if (!call.isOver) {
      callOff = deadlines.add(answerLimitMs(leaseMs()), () => failed(unavailable('it does not answer')));
    }
    return answer;
  }

  const unavailable = (what: string, cause?: unknown): LogUnavailableError =>
    new LogUnavailableError(what, { key, ...(cause !== undefined && { cause }) });

  const asUnavailable = (error: unknown): Error =>
    isLambdaStreamError(error) ? error : unavailable('it refuses the call', error);

  return {
    key,
    join: (request) => ask(() => log.join({ key, ...request })),
    append: (request) => ask(() => log.append({ key, ...request })),
    restart: (request) => ask(() => log.restart({ key, ...request })),
    read: (request) => ask(() => log.read({ key, ...request })),
    renew: (request) => ask(() => log.renew({ key, ...request })),
    leave: (member) => ask(() => log.leave({ key, member })),
    seal: (request) => ask(() => log.seal({ key, ...request })),
    inspect: () => ask(() => log.inspect(key)),
    forget: () => ask(() => log.forget(key)),
  };
}

function isPromise<T>(answer: LogAnswer<T>): answer is PromiseLike<T> {
  return typeof (answer as { readonly then?: unknown }).then === 'function';
}
