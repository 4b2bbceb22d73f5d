import { AbstractAgent, EventType, type AgentConfig, type BaseEvent, type RunAgentInput } from '@ag-ui/client';
import { EventSchemas } from '@ag-ui/core/schemas';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { InvocationStoppedError, invokeWithResponseStream, parseSse, UnknownInvocationError } from 'rx-lambda-stream';
import { followInvocation, forgetInvocation, joinInvocation, stopInvocation } from 'rx-lambda-stream/log';
import type { InvocationLog, PositionedEvent } from 'rx-lambda-stream/log';
import { catchError, defer, EMPTY, map, of, Subject, switchMap, takeUntil, throwError, type Observable } from 'rxjs';

export interface LambdaAgentConfig extends AgentConfig {
  readonly client: LambdaClient;
  readonly functionName: string;
  /** `memoryLog()` for one process, `redisLog(…)` for many machines. */
  readonly log: InvocationLog;
  /** How long the connection outlives the last consumer, for one that comes back. @defaultValue 5,000 */
  readonly lingerMs?: number;
}

/**
 * An AG-UI agent that is a Lambda function, which writes AG-UI's events as server-sent events.
 *
 * A thread has one run at a time: the next run takes its place in the log.
 */
export class LambdaAgent extends AbstractAgent {
  private config: LambdaAgentConfig;
  private aborts = new Subject<void>();

  constructor(config: LambdaAgentConfig) {
    super(config);
    this.config = config;
  }

  // #region run
  /** Invokes the function when subscribed to. Unsubscribing closes the connection, unless others read the run. */
  override run(input: RunAgentInput): Observable<BaseEvent> {
    const { client, functionName: FunctionName, log, lingerMs = 5_000 } = this.config;
    return defer(() => forgetInvocation(log, input.threadId)).pipe(
      switchMap(() =>
        joinInvocation(
          log,
          input.threadId,
          (pauseWhile) => invokeWithResponseStream(client, { FunctionName, Payload: input }, { pauseWhile }),
          { lingerMs },
        ),
      ),
      (events) => this.read(events),
    );
  }
  // #endregion

  /** Replays the thread's run from its start and goes on with it, on any machine. Invokes nothing. */
  protected override connect({ threadId }: RunAgentInput): Observable<BaseEvent> {
    return this.read(followInvocation(this.config.log, threadId)).pipe(
      catchError((error: unknown) => (error instanceof UnknownInvocationError ? EMPTY : throwError(() => error))),
    );
  }

  /** Ends the run for everybody, on every machine, and closes the connection. The base class does nothing here. */
  override abortRun(): void {
    this.aborts.next();
    stopInvocation(this.config.log, this.threadId).catch((error: unknown) => console.error(error));
  }

  override clone(): LambdaAgent {
    const cloned = super.clone() as LambdaAgent;
    cloned.config = this.config;
    cloned.aborts = new Subject();
    return cloned;
  }

  private read(events: Observable<PositionedEvent>): Observable<BaseEvent> {
    const aborted = this.aborts.pipe(
      map(() => {
        throw new DOMException('The run was aborted', 'AbortError');
      }),
    );
    return events.pipe(
      parseSse({ schema: EventSchemas }),
      map(({ data }) => data as BaseEvent),
      takeUntil(aborted),
      catchError((error: unknown) => {
        const isAbort = error instanceof InvocationStoppedError || (error as Error).name === 'AbortError';
        // As AG-UI's own HttpAgent tells of an abort.
        const event = { type: EventType.RUN_ERROR, code: 'abort', message: 'The run was aborted' };
        return isAbort ? of(event) : throwError(() => error);
      }),
    );
  }
}
