import { LambdaServiceException } from '@aws-sdk/client-lambda';
import {
  classifyInvocationError,
  FunctionError,
  isLambdaStreamError,
  TruncatedStreamError,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { BehaviorSubject, from, identity, lastValueFrom, merge, mergeMap, tap, TimeoutError, toArray } from 'rxjs';
import type { Door } from './door.js';
import type { Control, Moment, Outcome, Plan } from './fate.js';
import { fatesOf } from './fates.js';

/** What became of some streams. */
export interface StreamsRun {
  /** Those that went otherwise than their fate prescribes, in words. */
  readonly wrong: readonly string[];
  /** Responses that the endpoint was still sending when all streams had ended, and had been given time. */
  readonly unfinished: number;
  /** The most responses that were open at the endpoint at a time. */
  readonly peak: number;
}

/** How long a batch of streams may take before that is a failure, in milliseconds. It usually takes two seconds. */
const patienceMs = 120_000;

/**
 * Runs streams, so many at a time, until each has ended and the endpoint has seen it. Then compares them with their
 * fates.
 */
export async function runStreams(plans: readonly Plan[], concurrency: number, door: Door): Promise<StreamsRun> {
  const running = new Set<Plan>();
  const deadline = setTimeout(() => {
    const fatesLeft = [...new Set([...running].map(({ fate }) => fate))];
    // Uncaught: the part cannot go on.
    throw new Error(`${running.size} streams do not end: ${fatesLeft.join('; ')}`);
  }, patienceMs);
  const followed = await lastValueFrom(
    from(plans).pipe(
      mergeMap(async (plan) => {
        running.add(plan);
        const seen = await follow(plan, door);
        running.delete(plan);
        return { plan, seen };
      }, concurrency),
      toArray(),
    ),
  );
  clearTimeout(deadline);

  await door.endpoint.until(({ unfinished }) => unfinished === 0);
  const { ends, unfinished, peakUnfinished } = await door.endpoint.state('forget');
  const requests = new Map(ends);
  const wrong = followed.flatMap(({ plan, seen }) => {
    const got = inWordsOf(door, { ...seen(), requests: requests.get(plan.id) ?? [] });
    const expected = inWordsOf(door, fatesOf(door.name)[plan.fate]!.outcome(plan, got));
    if (say(got) === say(expected) && got.text === expected.text) return [];
    return [`stream ${plan.id} "${plan.fate}": ${say(got)} instead of ${say(expected)}`];
  });
  return { wrong, unfinished, peak: peakUnfinished };
}

/** Sends a plan's request and does what its client does. Resolves at its end; what comes after the end is seen too. */
function follow(plan: Plan, door: Door): Promise<() => Omit<Outcome, 'requests'>> {
  const { endpoint, pausing } = door;
  const fate = fatesOf(door.name)[plan.fate]!;
  const events: (string | number)[] = [];
  const ends: string[] = [];
  const own = new BehaviorSubject(false);
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;

  return new Promise((resolve) => {
    function end(how: string): void {
      ends.push(how);
      endpoint.listeners.delete(plan.id);
      resolve(() => ({ events: events.join(' '), text, end: ends.join(', ') }));
    }
    const control: Control = {
      get bytes() {
        return bytes;
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
        bytes += event.payload.length;
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
    const payload = (): Plan => ({ ...plan, from: Math.floor(bytes / plan.chunkBytes) });
    const source = door.invoke('fates', payload, { ...fate.options, pauseWhile: merge(pausing, own) });
    const observed = source.pipe(fate.through?.(plan) ?? identity, tap(observe));
    const subscription = (fate.consume?.(observed) ?? observed).subscribe({
      complete: () => end('completed'),
      error: (error: unknown) => end(describeError(error)),
    });
    act('subscribed');
  });
}

/** HTTP cuts a body anywhere, so that the number of its chunks says nothing, and has an event more at its head. */
function inWordsOf({ name }: Door, outcome: Outcome): Outcome {
  if (name !== 'fetchResponseStream') return outcome;
  const events = outcome.events
    .replace(/(?<!-)\bhead (?=\d|complete)/g, 'head http-head ')
    .replace(/\b\d+\b/g, 'chunks');
  return { ...outcome, events };
}

const say = ({ events, text, end, requests }: Outcome): string =>
  `events [${events}], ${text.length} characters, ${end}, closed early [${requests.join()}]`;

function wordFor(event: LambdaStreamEvent): string {
  if (event.type === 'retry') return `retry:${event.mode}`;
  if (event.type === 'complete' && event.errorCode !== undefined) return `complete:${event.errorCode}`;
  return event.type;
}

/** An error in words: all that a caller would act on. */
function describeError(error: unknown): string {
  if (error instanceof TruncatedStreamError) {
    return `truncated (${error.cause === undefined ? 'ended' : 'broke'}) after ${error.bytes} bytes`;
  }
  if (error instanceof FunctionError) return `${error.code}: ${error.errorCode}, ${String(error.errorType)}`;
  if (isLambdaStreamError(error)) return error.code === 'http-status' ? `status ${error.statusCode}` : error.code;
  if (error instanceof TimeoutError) return 'timed out';
  if (error instanceof LambdaServiceException) {
    const { Reason = '' } = error as { Reason?: string };
    return `${error.name} ${Reason}`.trim();
  }
  const { verdict, mayHaveRun } = classifyInvocationError(error);
  return mayHaveRun && verdict === 'soon' ? 'a broken connection' : `unexpected: ${String(error)}`;
}
