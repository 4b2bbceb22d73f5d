import { retryInvocation, shareInvocation, type LambdaStreamEvent, type RetryBudget } from 'rx-lambda-stream';
import { identity, map, switchMap, take, takeUntil, type MonoTypeOperatorFunction, type Observable } from 'rxjs';
import { failures } from './failures.js';
import type { Plan, RetryPlan } from './plan.js';
import { eventInWords } from './words.js';

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
    map(eventInWords),
    plan.take === undefined ? identity : take(plan.take),
  );
  return (plan.switches ? switches.pipe(switchMap(() => inner)) : inner).pipe(
    plan.stopsEarly ? identity : takeUntil(stops),
  );
}
