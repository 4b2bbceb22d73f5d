import type { InvokeWithResponseStreamOptions, LambdaStreamEvent } from 'rx-lambda-stream';
import type { ScriptStep } from 'rx-lambda-stream/local';
import type { MonoTypeOperatorFunction, Observable } from 'rxjs';

/** What one stream is to be. It is sent as the request's payload, so that both processes know it. */
export interface Plan {
  /** Each stream of an endpoint has its own. */
  readonly id: number;
  /** A key of the fates of its door. */
  readonly fate: string;
  /** How many chunks the whole response has: 1 to 8. */
  readonly chunks: number;
  readonly chunkBytes: number;
  /** How many attempts fail, in a fate in which some do: 1 or 2. */
  readonly failures: number;
  /** How many streams must be open before any of them is answered. Absent where each is answered by itself. */
  readonly together?: number;
  /** Chunks that the client has already: the cursor of a continued stream. */
  readonly from?: number;
}

/** What a fate's client can do to its stream. */
export interface Control {
  /** Payload that has arrived, in bytes. */
  readonly bytes: number;
  leave(): void;
  pause(paused: boolean): void;
  /** Tells the function to go on where it waits for that. */
  go(): void;
}

/** What a fate's function can ask for. */
export interface Server {
  /** Settles when the client has said `go` so many times: once by default. */
  go(times?: number): Promise<void>;
  /** Has the client told of the moment `written`, when so many bytes of payload were handed to the connection. */
  tellWritten(bytes: number): Promise<void>;
}

/**
 * When a fate's client can do something: at an event; right after `subscribe`; when the request is `arrived` at the
 * endpoint; when the function has `written` what it was to write.
 */
export type Moment = LambdaStreamEvent | 'subscribed' | 'arrived' | 'written';

/** What becomes of a stream, to the byte. */
export interface Outcome {
  /** Types of events. A run of chunks is its number. */
  readonly events: string;
  /** The payload that was delivered, since the last restart. */
  readonly text: string;
  /** `completed`, `left`, or the error in words: see `describeError`. */
  readonly end: string;
  /** For each request that the endpoint got, in order: whether the client closed its connection before the end. */
  readonly requests: readonly (boolean | null)[];
}

/** One way for a stream to go: what the function does, what the client does, and what must become of it. */
export interface Fate {
  /** What the function does in its n-th invocation for this stream. */
  readonly script: (plan: Plan, attempt: number, server: Server) => readonly ScriptStep[];
  /** The request is refused, or may never be sent. So no other stream can wait for its arrival. */
  readonly isAlone?: true;
  readonly options?: InvokeWithResponseStreamOptions;
  /** Stands before what is observed. */
  readonly through?: (plan: Plan) => MonoTypeOperatorFunction<LambdaStreamEvent>;
  /** Stands behind what is observed. */
  readonly consume?: (events: Observable<LambdaStreamEvent>) => Observable<unknown>;
  readonly act?: (moment: Moment, stream: Control, plan: Plan) => unknown;
  /** @param seen - What became of it, for a fate that leaves something to chance. */
  readonly outcome: (plan: Plan, seen: Outcome) => Outcome;
}

/** The text of a stream's n-th chunk, unlike any other's. */
export function chunkText({ id, chunkBytes }: Plan, index: number): string {
  return `${id}/${index}\n`.padEnd(chunkBytes, String.fromCharCode(97 + ((id + index) % 26))).slice(0, chunkBytes);
}

/** The text of some chunks of a stream, all by default. */
export function textOf(plan: Plan, from = 0, to = plan.chunks): string {
  return Array.from({ length: to - from }, (_, n) => chunkText(plan, from + n)).join('');
}

/** The steps that send some chunks of a stream, all by default. */
export function chunkSteps(plan: Plan, from = 0, to = plan.chunks): { readonly chunk: string }[] {
  return Array.from({ length: to - from }, (_, n) => ({ chunk: chunkText(plan, from + n) }));
}

/** Whether this is the moment in which the stream's first so many chunks have arrived, all by default. */
export function hasBrought(moment: Moment, stream: Control, plan: Plan, chunks = plan.chunks): boolean {
  if (typeof moment !== 'object' || moment.type !== 'chunk') return false;
  const wanted = chunks * plan.chunkBytes;
  return stream.bytes >= wanted && stream.bytes - moment.payload.length < wanted;
}

/** The outcome of a stream that delivers all its chunks, and then ends in this way. */
export function delivered(plan: Plan, end = 'completed', requests = [false], last = ''): Outcome {
  return { events: `head ${plan.chunks}${last}`, text: textOf(plan), end, requests };
}

/** The error of a body that is cut after all its chunks, in words. */
export const truncated = ({ chunks, chunkBytes }: Plan, how: 'ended' | 'broke'): string =>
  `truncated (${how}) after ${chunks * chunkBytes} bytes`;
