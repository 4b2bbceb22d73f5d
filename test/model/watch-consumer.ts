import { Subject, type Observable } from 'rxjs';
import { consumerPipeline } from './pipeline.js';
import type { Plan } from './plan.js';
import type { LambdaStreamEvent } from 'rx-lambda-stream';
import { errorInWords } from './words.js';

/** A real consumer, and all that it has been told. */
export interface WatchedConsumer {
  readonly values: readonly string[];
  /** All terminal signals; more than one is one too many. */
  readonly endings: readonly string[];
  /** What came after the end, or after it had left. */
  readonly late: readonly string[];
  unsubscribe(): void;
  switch(): void;
  stop(): void;
}

/** Subscribes a consumer to the source, through the plan's decoders. */
export function watchConsumer(plan: Plan, source: Observable<LambdaStreamEvent>): WatchedConsumer {
  const values: string[] = [];
  const endings: string[] = [];
  const late: string[] = [];
  let left = false;
  const switches = new Subject<void>();
  const stops = new Subject<void>();

  function tell(kind: string[], what: string): void {
    kind.push(what);
    if (left || (kind === values && endings.length > 0)) late.push(what);
  }

  const subscription = consumerPipeline(plan, source, switches, stops).subscribe({
    next: (value) => tell(values, value),
    error: (error: unknown) => tell(endings, errorInWords(error)),
    complete: () => tell(endings, 'complete'),
  });
  switches.next();

  return {
    values,
    endings,
    late,
    unsubscribe() {
      left = true;
      subscription.unsubscribe();
    },
    switch: () => switches.next(),
    stop: () => stops.next(),
  };
}
