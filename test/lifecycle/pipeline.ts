import {
  collectResponse,
  decodeHttpResponse,
  decodeText,
  parseNdjson,
  parseSse,
  retryInvocation,
  shareInvocation,
  splitLines,
  toSnapshots,
  type LambdaStreamEvent,
  type RetryBudget,
} from 'rx-lambda-stream';
import { identity, map, switchMap, take, takeUntil, type MonoTypeOperatorFunction, type Observable } from 'rxjs';
import { failures } from './failures.js';
import type { Plan, RetryPlan, ViewPlan } from './plan.js';
import { eventInWords, responseInWords, sentEventInWords, snapshotInWords } from './words.js';

type Events = Observable<LambdaStreamEvent>;

/** What stands right behind the invocation: retries, and sharing. */
export function invocationOperators(
  { retry, share }: Plan,
  budget: RetryBudget | undefined,
): MonoTypeOperatorFunction<LambdaStreamEvent> {
  return (source) =>
    source.pipe(
      retry ? retryInvocation(retryConfig(retry, budget)) : identity,
      share ? shareInvocation(share) : identity,
    );
}

function retryConfig(plan: RetryPlan, budget: RetryBudget | undefined): Parameters<typeof retryInvocation>[0] {
  const { fraction, retriesBugs, budget: _, ...options } = plan;
  return {
    ...options,
    jitter: fraction === 1 ? 'none' : () => fraction,
    ...(retriesBugs && {
      classify: (error) => (error === failures.bug ? { verdict: 'soon', mayHaveRun: false } : undefined),
    }),
    ...(budget && { budget }),
  };
}

/** What a consumer subscribes to, its values in words. */
export function consumerPipeline(
  plan: Plan,
  source: Events,
  switches: Observable<unknown>,
  stops: Observable<unknown>,
): Observable<string> {
  const inner = source.pipe(
    plan.stopsEarly ? takeUntil(stops) : identity,
    plan.http ? decodeHttpResponse(plan.http) : identity,
    (events) => view(plan.view, events),
    plan.take === undefined ? identity : take(plan.take),
  );
  return (plan.switches ? switches.pipe(switchMap(() => inner)) : inner).pipe(
    plan.stopsEarly ? identity : takeUntil(stops),
  );
}

function view(plan: ViewPlan, events: Events): Observable<string> {
  switch (plan.of) {
    case 'events':
      return events.pipe(map(eventInWords));
    case 'text':
      return events.pipe(decodeText(plan));
    case 'lines':
      return events.pipe(splitLines(plan));
    case 'records':
      return events.pipe(
        parseNdjson(plan),
        map((record) => JSON.stringify(record)),
      );
    case 'server-sent events':
      return events.pipe(parseSse(), map(sentEventInWords));
    case 'response':
      return events.pipe(collectResponse(plan), map(responseInWords));
    case 'snapshots':
      return events.pipe(toSnapshots(plan), map(snapshotInWords));
  }
}
