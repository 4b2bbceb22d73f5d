import type { LambdaClient } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream, type LambdaStreamEvent } from 'rx-lambda-stream';
import { BehaviorSubject, identity, merge, tap, type Observable } from 'rxjs';
import type { EndpointProcess } from './endpoint-process.js';
import type { Control, Moment } from './fate.js';
import { describeError } from './fates-of-functions.js';
import { fates } from './fates.js';
import type { Plan } from './plan.js';

/** What all streams of a part have in common. */
export interface Surroundings {
  readonly client: LambdaClient;
  readonly endpoint: EndpointProcess;
  /** One for all streams, longer-lived than any of them: what each `pauseWhile` listens to besides its own. */
  readonly pausing: BehaviorSubject<boolean>;
}

/** One stream as its subscriber saw it. What comes after its end is in here too. */
export interface Followed {
  readonly plan: Plan;
  readonly ended: Promise<void>;
  /** As in the `Outcome` of its fate. */
  readonly seen: () => { readonly events: string; readonly text: string; readonly end: string };
}

/** Invokes as the plan says, and does what its client does. */
export function follow(plan: Plan, { client, endpoint, pausing }: Surroundings): Followed {
  const fate = fates[plan.fate]!;
  const events: (string | number)[] = [];
  const ends: string[] = [];
  const own = new BehaviorSubject(false);
  const decoder = new TextDecoder();
  let text = '';
  let chunks = 0;
  let finish!: () => void;
  const ended = new Promise<void>((resolve) => (finish = resolve));

  function end(how: string): void {
    ends.push(how);
    endpoint.listeners.delete(plan.id);
    finish();
  }
  const control: Control = {
    get chunks() {
      return chunks;
    },
    leave() {
      subscription.unsubscribe();
      end('left');
    },
    pause: (paused) => own.next(paused),
    go: () => endpoint.go(plan.id),
  };
  const act = (moment: Moment): unknown => fate.act?.(moment, control, plan);

  function observe(event: LambdaStreamEvent): void {
    if (event.type === 'chunk') {
      chunks++;
      text += decoder.decode(event.payload);
      const last = events.at(-1);
      if (typeof last === 'number') events[events.length - 1] = last + 1;
      else events.push(1);
    } else {
      if (event.type === 'retry' && event.mode === 'restart') text = '';
      events.push(wordFor(event));
    }
    act(event);
  }

  endpoint.listeners.set(plan.id, act);
  const source: Observable<LambdaStreamEvent> = invokeWithResponseStream(
    client,
    () => ({ FunctionName: fate.script ? 'fates' : 'paced', Payload: { ...plan, from: chunks } }),
    { ...fate.options, pauseWhile: merge(pausing, own) },
  );
  const observed = source.pipe(fate.retry?.(plan) ?? identity, tap(observe));
  const subscription = (fate.consume?.(observed) ?? observed).subscribe({
    complete: () => end('completed'),
    error: (error: unknown) => end(describeError(error)),
  });
  act('subscribed');
  return { plan, ended, seen: () => ({ events: events.join(' '), text, end: ends.join(', ') }) };
}

function wordFor(event: LambdaStreamEvent): string {
  if (event.type === 'retry') return `retry:${event.mode}`;
  if (event.type === 'complete' && event.errorCode !== undefined) return `complete:${event.errorCode}`;
  return event.type;
}
