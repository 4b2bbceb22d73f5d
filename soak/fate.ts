import type { InvokeWithResponseStreamOptions, LambdaStreamEvent } from 'rx-lambda-stream';
import type { ScriptStep } from 'rx-lambda-stream/local';
import type { MonoTypeOperatorFunction, Observable } from 'rxjs';
import type { Plan } from './plan.js';

/** What a fate's client can do to its stream. */
export interface Control {
  /** Chunks that have arrived. */
  readonly chunks: number;
  leave(): void;
  pause(paused: boolean): void;
  /** Tells the function to go on where it waits for that. */
  go(): void;
}

/**
 * When a fate's client can do something: at an event; right after `subscribe`; when the request is `arrived` at the
 * endpoint; when the `paced` function has `written` what it was told to.
 */
export type Moment = LambdaStreamEvent | 'subscribed' | 'arrived' | 'written';

/** What must come of a stream, to the byte. */
export interface Outcome {
  /** Types of events; a run of chunks as its number. */
  readonly events: string;
  /** The payload that was delivered, since the last restart. */
  readonly text: string;
  /** `completed`, `left`, or the error in words: see `describeError`. */
  readonly end: string;
  /** Each request that the endpoint got, in order: whether the client closed its connection before the end. */
  readonly requests: readonly boolean[];
}

/** One way for a stream to go: what the function does, what the client does, and what must come of it. */
export interface Fate {
  /** What the function does in its n-th invocation for this stream. Absent where the function `paced` answers. */
  readonly script?: (plan: Plan, attempt: number, go: Promise<void>) => readonly ScriptStep[];
  /** The first invocation is answered with an HTTP error, or never sent: it can wait for no other stream. */
  readonly isAlone?: true;
  readonly options?: InvokeWithResponseStreamOptions;
  /** Stands before what is observed. */
  readonly retry?: (plan: Plan) => MonoTypeOperatorFunction<LambdaStreamEvent>;
  /** Stands behind what is observed. */
  readonly consume?: (events: Observable<LambdaStreamEvent>) => Observable<unknown>;
  readonly act?: (moment: Moment, stream: Control, plan: Plan) => void;
  readonly outcome: (plan: Plan) => Outcome;
}

/** The moment in which the stream's last chunk has arrived. */
export function isLastChunk(moment: Moment, { chunks }: Control, plan: Plan): boolean {
  return typeof moment === 'object' && moment.type === 'chunk' && chunks === plan.chunks;
}
