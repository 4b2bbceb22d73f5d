import type { PipelinePlan, RetryPlan } from '../pipeline-plan.js';
import type { ExpectedClock } from './clock.js';
import type { Bytes, ExpectedEvent, ExpectedObserver, ExpectedSource, ResponseStep } from './events.js';
import { failures, type Failure } from './failures.js';

/** How a response ended. The connection of a complete one can be used again; that of a closed one is given up. */
export type ResponseEnd = 'complete' | 'closed' | undefined;

const neverRetried: Failure = { verdict: 'never', mayHaveRun: true };

/**
 * What `invokeWithResponseStream(…)` and `retryInvocation(…)` behind it do, by the documentation of both. It has one
 * subscriber at a time.
 */
export class ExpectedInvocation implements ExpectedSource {
  /** The end of each response, in the order of requests. */
  readonly ends: ResponseEnd[] = [];
  /** Which attempt of the subscription is under way, or next. */
  attempt = 1;
  /** Whether a response is being read. */
  isOpen = false;
  #observer: ExpectedObserver | undefined;
  #cancelWait: (() => void) | undefined;

  // What the subscription has delivered since its start, or the last restart.
  #chunks = 0;
  #delivered: Bytes = '';
  /** What a replay has to bring again, and what it has brought. */
  #toReplay: Bytes = '';
  #replayed: Bytes = '';

  // What the present attempt has received.
  #ownChunks = 0;
  #ownBytes = 0;

  constructor(
    private readonly plan: PipelinePlan,
    private readonly name: string,
    private readonly clock: ExpectedClock,
  ) {}

  subscribe(observer: ExpectedObserver): void {
    this.#observer = observer;
    this.attempt = 1;
    this.#chunks = 0;
    this.#delivered = this.#toReplay = this.#replayed = '';
    this.#begin();
  }

  unsubscribe(): void {
    this.#observer = undefined;
    this.#endResponse('closed');
    this.#cancelWait?.();
    this.#cancelWait = undefined;
  }

  /** The open response does this. */
  take(step: ResponseStep): void {
    if (!this.isOpen) return;
    const requestId = `${this.name}#${this.ends.length}`;
    if (step.does === 'head') this.#deliver({ type: 'head', statusCode: 200, requestId });
    else if (step.does === 'head 204') this.#complete({ type: 'head', statusCode: 204, requestId });
    else if (step.does === 'unknown') this.#deliver({ type: 'unknown', bytes: 'new' });
    else if (step.does === 'damaged frame') this.#fail('ProtocolError', neverRetried);
    else if (step.does === 'fail') this.#fail(step.how, failures[step.how]);
    else if (step.does === 'chunk') {
      const bytes = this.document.slice(this.#ownBytes, this.#ownBytes + step.bytes);
      this.#ownBytes += bytes.length;
      this.#ownChunks++;
      this.#deliver({ type: 'chunk', bytes });
    } else if (step.does === 'end' || step.does === 'break') {
      this.#fail(`TruncatedStreamError after ${this.#ownChunks} chunks, ${this.#ownBytes} bytes`, failures.reset);
    } else if (step.does !== 'function error') this.#complete({ type: 'complete' });
    else if (this.plan.functionErrors === 'emit') this.#complete({ type: 'complete', errorCode: 'Unhandled' });
    else this.#fail('FunctionError Unhandled', neverRetried, 'complete');
  }

  /** The payload of the present response. */
  get document(): Bytes {
    const { documents } = this.plan;
    return documents[(this.ends.length - 1) % documents.length]!;
  }

  #begin(): void {
    this.#cancelWait = undefined;
    this.isOpen = true;
    this.ends.push(undefined);
    this.#ownChunks = this.#ownBytes = 0;
  }

  #endResponse(end: ResponseEnd): void {
    this.isOpen = false;
    if (this.ends.length > 0) this.ends[this.ends.length - 1] ??= end;
  }

  #isReplaying(): boolean {
    return this.#replayed.length < this.#toReplay.length;
  }

  #deliver(event: ExpectedEvent): void {
    // What an unknown event means belongs to its place between the chunks.
    if (this.#isReplaying() && event.type === 'unknown') return;
    if (event.type === 'chunk') {
      let { bytes } = event;
      if (this.#isReplaying()) {
        this.#replayed += bytes;
        if (this.#isReplaying()) return;
        bytes = this.#replayed.slice(this.#toReplay.length);
        if (!this.#replayed.startsWith(this.#toReplay)) this.#mismatch();
        if (bytes === '' || !this.isOpen) return;
      }
      this.#chunks++;
      this.#delivered += bytes;
      event = { type: 'chunk', bytes };
    }
    this.#observer?.next(event);
  }

  /** The last event of a response: the connection is free, whatever its consumer does with the event. */
  #complete(event: ExpectedEvent): void {
    this.ends[this.ends.length - 1] = 'complete';
    const isShort = this.#isReplaying();
    if (!isShort || event.type === 'head') this.#deliver(event);
    if (!this.isOpen) return;
    if (isShort) {
      this.#mismatch();
      return;
    }
    this.isOpen = false;
    this.#observer?.complete();
  }

  #mismatch(): void {
    this.#fail(`ReplayMismatchError after ${this.#delivered.length} bytes`, neverRetried);
  }

  #fail(error: string, failure: Failure, end: ResponseEnd = 'closed'): void {
    this.#endResponse(end);
    const { retry } = this.plan;
    const mode = this.#chunks === 0 ? 'fresh' : (retry?.afterFirstChunk ?? 'error');
    if (!retry || mode === 'error' || !isRetried(retry, failure, this.attempt)) {
      this.#observer?.fail(error);
      return;
    }
    const delayMs = delayOf(retry, failure, this.attempt);
    this.attempt++;
    const before = { chunks: this.#chunks, bytes: this.#delivered.length };
    if (mode === 'restart') {
      this.#chunks = 0;
      this.#delivered = '';
    }
    this.#toReplay = mode === 'replay' ? this.#delivered : '';
    this.#replayed = '';
    const observer = this.#observer;
    observer?.next({ type: 'retry', attempt: this.attempt, delayMs, mode, ...before, error });
    // A consumer may leave because of the event.
    if (this.#observer === observer) this.#cancelWait = this.clock.schedule(delayMs, () => this.#begin());
  }
}

function isRetried(plan: RetryPlan, { verdict, mayHaveRun, retryAfter = 0 }: Failure, attempt: number): boolean {
  if (verdict === 'never' || attempt >= plan.maxAttempts) return false;
  return (plan.idempotent || !mayHaveRun) && retryAfter * 1_000 <= plan.maxRetryAfterMs;
}

function delayOf(plan: RetryPlan, { verdict, retryAfter = 0 }: Failure, attempt: number): number {
  const { initialDelayMs, maxDelayMs, fraction } = plan;
  const full = verdict === 'later' ? initialDelayMs * 10 * 1.5 ** (attempt - 1) : initialDelayMs * 2 ** (attempt - 1);
  return Math.max(Math.round(fraction * Math.min(full, maxDelayMs)), retryAfter * 1_000);
}
