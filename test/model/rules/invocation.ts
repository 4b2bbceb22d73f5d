import type { Plan, ResponsePlan, RetryPlan } from '../plan.js';
import type { ResponseStep } from '../steps.js';
import type { ModelClock } from './clock.js';
import type { Bytes, ModelEvent, ModelObserver, ModelSource } from './events.js';
import { failureFacts, type FailureFacts } from './failure-facts.js';

/** The budget's tokens, shared by all consumers. */
export interface ModelTokens {
  left: number;
}

/** One consumer's invocation with its retries, or the one that is shared. */
export interface ModelInvocation extends ModelSource {
  readonly activations: number;
  /** Which attempt of its subscription is under way, or next. */
  readonly attempt: number;
  /** Whether a response is being read. */
  readonly open: boolean;
  take(step: ResponseStep): void;
}

/** What `invoke(…).pipe(retryInvocation(…))` does, from the documentation of both. */
export function modelInvocation(plan: Plan, name: string, clock: ModelClock, tokens: ModelTokens): ModelInvocation {
  const { retry, functionErrors } = plan;
  let activations = 0;

  // Of one subscription.
  let observer: ModelObserver | undefined;
  let attempt = 1;
  let chunks = 0;
  let delivered: Bytes = '';
  /** What a replay has to bring again, and what it has brought. */
  let expected: Bytes = '';
  let brought: Bytes = '';
  let cancelWait: (() => void) | undefined;

  // Of one attempt.
  let open = false;
  let response: ResponsePlan = plan.responses[0];
  let sent = 0;
  let ownChunks = 0;
  let ownBytes = 0;

  function begin(): void {
    cancelWait = undefined;
    open = true;
    response = plan.responses[activations % plan.responses.length] ?? response;
    activations++;
    sent = ownChunks = ownBytes = 0;
    for (const step of response.prologue) take(step);
  }

  function take(step: ResponseStep): void {
    if (!open) return;
    const requestId = `${name}#${activations}`;
    switch (step.does) {
      case 'head':
        deliver({ type: 'head', statusCode: 200, requestId });
        break;
      case 'empty head':
        deliver({ type: 'head', statusCode: 204, requestId });
        finish();
        break;
      case 'chunk': {
        const bytes = response.document.slice(sent, sent + step.bytes);
        sent += bytes.length;
        ownBytes += bytes.length;
        ownChunks++;
        deliver({ type: 'chunk', bytes });
        break;
      }
      case 'unknown':
        deliver({ type: 'unknown', bytes: 'new' });
        break;
      case 'complete':
        deliver({ type: 'complete' });
        finish();
        break;
      case 'function error':
        if (functionErrors === 'throw') {
          fail('FunctionError Unhandled', { verdict: 'never', mayHaveRun: true });
        } else {
          deliver({ type: 'complete', errorCode: 'Unhandled' });
          finish();
        }
        break;
      case 'end':
        fail(`TruncatedStreamError after ${ownChunks} chunks, ${ownBytes} bytes`, failureFacts.truncated);
        break;
      case 'fail':
        fail(step.how, failureFacts[step.how]);
    }
  }

  /** Passes an event on, unless it is a part of a replay that was delivered before. */
  function deliver(event: ModelEvent): void {
    if (brought.length < expected.length) {
      if (event.type === 'complete') {
        mismatch();
        return;
      }
      if (event.type === 'unknown') return;
      if (event.type === 'chunk') {
        brought += event.bytes;
        if (brought.length < expected.length) return;
        if (!brought.startsWith(expected)) {
          mismatch();
          return;
        }
        const bytes = brought.slice(expected.length);
        if (bytes === '') return;
        event = { type: 'chunk', bytes };
      }
    }
    if (event.type === 'chunk') {
      chunks++;
      delivered += event.bytes;
    }
    observer?.next(event);
  }

  function finish(): void {
    if (!open) return;
    if (brought.length < expected.length) {
      mismatch();
      return;
    }
    open = false;
    if (retry?.budget) give(retry, attempt === 1 ? retry.budget.successRefund : retry.budget.retryCost);
    observer?.end();
  }

  function mismatch(): void {
    fail(`ReplayMismatchError after ${delivered.length} bytes`, { verdict: 'never', mayHaveRun: true });
  }

  function fail(error: string, facts: FailureFacts): void {
    open = false;
    if (error === 'bug' && retry?.retriesBugs) facts = { verdict: 'soon', mayHaveRun: false };
    const mode = chunks === 0 ? 'fresh' : (retry?.afterFirstChunk ?? 'error');
    if (!retry || mode === 'error' || !isRetried(retry, facts)) {
      observer?.fail(error);
      return;
    }
    if (retry.budget) tokens.left -= retry.budget.retryCost;
    const delayMs = delayOf(retry, facts, attempt);
    attempt++;
    const before = { chunks, bytes: delivered.length };
    if (mode === 'restart') {
      chunks = 0;
      delivered = '';
    }
    expected = mode === 'replay' ? delivered : '';
    brought = '';
    // Set before the event goes out, since a consumer may leave because of it.
    cancelWait = () => undefined;
    observer?.next({ type: 'retry', attempt, delayMs, mode, ...before, error });
    if (cancelWait as unknown) cancelWait = clock.schedule(delayMs, begin);
  }

  function isRetried(
    { maxAttempts, idempotent, maxRetryAfterMs, budget }: RetryPlan,
    { verdict, mayHaveRun, retryAfterMs = 0 }: FailureFacts,
  ): boolean {
    return (
      verdict !== 'never' &&
      attempt < maxAttempts &&
      (idempotent || !mayHaveRun) &&
      retryAfterMs <= maxRetryAfterMs &&
      (!budget || tokens.left >= budget.retryCost)
    );
  }

  function give({ budget }: RetryPlan, more: number): void {
    if (budget) tokens.left = Math.min(budget.capacity, tokens.left + more);
  }

  return {
    get activations() {
      return activations;
    },
    get attempt() {
      return attempt;
    },
    get open() {
      return open;
    },
    take,
    subscribe(subscriber) {
      observer = subscriber;
      attempt = 1;
      chunks = 0;
      delivered = expected = brought = '';
      begin();
    },
    unsubscribe() {
      open = false;
      observer = undefined;
      if (!cancelWait) return;
      cancelWait();
      cancelWait = undefined;
      // It was not sent.
      if (retry?.budget) give(retry, retry.budget.retryCost);
    },
  };
}

function delayOf(
  { initialDelayMs, maxDelayMs, fraction }: RetryPlan,
  { verdict, retryAfterMs }: FailureFacts,
  attempt: number,
): number {
  if (retryAfterMs === 0) return 0;
  const full = verdict === 'later' ? initialDelayMs * 10 * 1.5 ** (attempt - 1) : initialDelayMs * 2 ** (attempt - 1);
  return Math.max(Math.round(fraction * Math.min(full, maxDelayMs)), retryAfterMs ?? 0);
}
