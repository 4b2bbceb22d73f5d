import { BehaviorSubject, config, type Observable } from 'rxjs';
import { createRetryBudget, invokeWithResponseStream, type LambdaStreamEvent } from 'rx-lambda-stream';
import { expect, vi } from 'vitest';
import { chunkFrame, completeFrame, encodeFrame } from '../support/frames.js';
import type { BodyKind } from './driven-body.js';
import type { DrivenClient, Exchange } from './driven-client.js';
import { failures } from './failures.js';
import { toBeTold, told, type Life } from './life.js';
import { createModelClock } from './rules/clock.js';
import { modelConsumer } from './rules/consumer.js';
import { toBytes, type ModelSource } from './rules/events.js';
import { modelInvocation, type ModelInvocation } from './rules/invocation.js';
import { modelSharing } from './rules/sharing.js';
import { invocationOperators } from './pipeline.js';
import type { Plan } from './plan.js';
import type { ResponseStep, Step } from './steps.js';
import { turnOfTheEventLoop } from './turn.js';
import { watchConsumer } from './watch-consumer.js';

/** A step, where the responses can be paused too. */
export type WireStep = Step | { readonly step: 'pause' | 'resume' };

interface Branch {
  readonly name: string;
  readonly invocation: ModelInvocation;
  readonly source: Observable<LambdaStreamEvent>;
  readonly modelSource: ModelSource;
  /** What a response, by its number, did during a pause. */
  held: { readonly number: number; readonly step: ResponseStep }[];
  /** How much of the document the open response has sent. */
  sent: number;
  /** The responses that have sent all. */
  readonly over: Set<Exchange>;
}

const exceptionHeaders = { ':message-type': 'exception', ':exception-type': 'TooManyRequestsException' };

/**
 * Plays the steps on a real client and on the model, and compares the two after each step. Time is vitest's, for there
 * are promises in the SDK.
 */
export async function playOverWire(
  driven: DrivenClient,
  kind: BodyKind,
  plan: Plan,
  steps: readonly WireStep[],
  note: (what: string) => void,
): Promise<void> {
  const clock = createModelClock();
  const unhandled: unknown[] = [];
  config.onUnhandledError = (error) => unhandled.push(error);
  // Of a run that failed.
  vi.clearAllTimers();
  driven.reset(kind, true);

  const budget = plan.retry?.budget && createRetryBudget(plan.retry.budget);
  const tokens = { left: plan.retry?.budget?.capacity ?? 0 };
  const branches = new Map<string, Branch>();
  const lives: Life[] = [];
  const pauseWhile = new BehaviorSubject(false);

  function branchOf(who: number): Branch {
    const name = plan.share ? 'shared' : `of ${who}`;
    const known = branches.get(name);
    if (known) return known;
    const invocation = modelInvocation(plan, name, clock, tokens);
    const branch: Branch = {
      name,
      invocation,
      source: invokeWithResponseStream(driven.client, { FunctionName: name }, { ...plan, pauseWhile }).pipe(
        invocationOperators(plan, budget),
      ),
      modelSource: plan.share ? modelSharing(plan.share, clock, invocation) : invocation,
      held: [],
      sent: 0,
      over: new Set(),
    };
    branches.set(name, branch);
    return branch;
  }

  const exchangesOf = ({ name }: Branch): Exchange[] =>
    driven.exchanges.filter(({ functionName }) => functionName === name);

  /** Half a frame is none: nothing of it may be seen before the other half is there. */
  async function push(exchange: Exchange, frame: Uint8Array): Promise<void> {
    const cut = (exchange.number * 31 + frame.length * 7) % frame.length;
    exchange.body?.push(frame.subarray(0, cut));
    await turnOfTheEventLoop();
    check();
    exchange.body?.push(frame.subarray(cut));
  }

  /** What comes behind the headers shows when it is read. */
  function take({ held, invocation }: Branch, step: ResponseStep): void {
    if (pauseWhile.value) held.push({ number: invocation.activations, step });
    else invocation.take(step);
  }

  async function respond(branch: Branch, step: ResponseStep): Promise<void> {
    const exchange = exchangesOf(branch).at(-1);
    if (!exchange || !branch.invocation.open || branch.over.has(exchange)) return;
    if (!exchange.isAnswered) {
      branch.sent = 0;
      if (step.does === 'fail') {
        const how = step.how === 'refused' || step.how === 'reset' ? step.how : 'throttled';
        if (how === 'throttled') exchange.refuse();
        else exchange.fail(failures[how]);
        branch.invocation.take({ does: 'fail', how });
        return;
      }
      if (step.does === 'empty head') {
        branch.over.add(exchange);
        exchange.respond(204);
        exchange.body?.end();
        branch.invocation.take(step);
        return;
      }
      exchange.respond();
      branch.invocation.take({ does: 'head' });
    }
    if (step.does === 'head' || step.does === 'empty head') return;
    if (step.does === 'fail' && step.how !== 'throttled') {
      // A break while paused shows now or later, as the body has it: see the test of the wire itself.
      if (pauseWhile.value) return;
      exchange.body?.break(new Error('reset'));
      branch.invocation.take({ does: 'end' });
      return;
    }
    const frame = frameOf(branch, exchange, step);
    if (frame) await push(exchange, frame);
    if (step.does !== 'chunk' && step.does !== 'unknown') {
      branch.over.add(exchange);
      // The connection of an exception is not to be kept, and its body does not have to end.
      if (step.does !== 'fail') exchange.body?.end();
    }
    take(branch, step);
  }

  /** What a step sends; nothing for an end without an InvokeComplete. */
  function frameOf(branch: Branch, exchange: Exchange, step: ResponseStep): Uint8Array | undefined {
    switch (step.does) {
      case 'chunk': {
        const { document } = plan.responses[(exchange.number - 1) % plan.responses.length] ?? plan.responses[0];
        const bytes = document.slice(branch.sent, branch.sent + step.bytes);
        branch.sent += bytes.length;
        return chunkFrame(toBytes(bytes));
      }
      case 'unknown':
        return encodeFrame({ ':event-type': 'New', ':message-type': 'event' }, 'new');
      case 'complete':
        return completeFrame();
      case 'function error':
        return completeFrame({ ErrorCode: 'Unhandled' });
      case 'fail':
        return encodeFrame(exceptionHeaders, '{"message":"slow down"}');
      default:
        return undefined;
    }
  }

  function resume(): void {
    pauseWhile.next(false);
    for (const branch of branches.values()) {
      const { held, invocation } = branch;
      for (const { number, step } of held.splice(0)) if (number === invocation.activations) invocation.take(step);
    }
  }

  /** From timer to timer, since what one of them begins takes a turn. */
  async function wait(ms: number): Promise<void> {
    let left = ms;
    do {
      const next = Math.min(left, clock.untilNextMs);
      vi.advanceTimersByTime(next);
      clock.advance(next);
      await turnOfTheEventLoop();
      left -= next;
    } while (left > 0);
  }

  async function perform(step: WireStep): Promise<void> {
    switch (step.step) {
      case 'wait':
        return wait(step.ms);
      case 'pause': {
        pauseWhile.next(true);
        return;
      }
      case 'resume': {
        resume();
        return;
      }
      case 'response':
        return respond(branchOf(step.who), step.response);
      case 'haunt':
        return;
    }
    const life = lives.filter(({ who }) => who === step.who).at(-1);
    if (step.step !== 'subscribe') {
      life?.model[step.step]();
      life?.real[step.step]();
    } else if (!life?.model.listens) {
      const branch = branchOf(step.who);
      if (plan.share && branch.invocation.open) note('came late');
      const model = modelConsumer(plan, branch.modelSource);
      model.subscribe();
      lives.push({ who: step.who, model, real: watchConsumer(plan, branch.source) });
    }
  }

  /** Whether it is neither given up nor at its end; an end that nobody has read, because of a pause, is none yet. */
  function isActive({ over, held }: Branch, exchange: Exchange): boolean {
    if (exchange.isAborted) return false;
    return !over.has(exchange) || !exchange.body?.isReleased || held.some(({ number }) => number === exchange.number);
  }

  function check(): void {
    const all = [...branches.values()];
    if (pauseWhile.value && all.some(({ held }) => held.length > 0)) note('paused');
    for (const { invocation } of all) note(`attempt ${invocation.attempt}`);
    expect({
      requests: all.map((branch) => exchangesOf(branch).length),
      active: all.map((branch) => exchangesOf(branch).filter((exchange) => isActive(branch, exchange)).length),
      timers: vi.getTimerCount(),
      tokens: budget?.tokens ?? 0,
      lives: lives.map(told),
      unhandled,
    }).toEqual({
      requests: all.map(({ invocation }) => invocation.activations),
      active: all.map(({ invocation }) => (invocation.open ? 1 : 0)),
      timers: clock.pending,
      tokens: tokens.left,
      lives: lives.map(toBeTold),
      unhandled: [],
    });
  }

  for (const step of steps) {
    await perform(step);
    await turnOfTheEventLoop();
    check();
  }
  for (const { who } of lives) {
    await perform({ step: 'unsubscribe', who });
    await turnOfTheEventLoop();
    check();
  }
  await wait(longMs);
  check();
  expect(vi.getTimerCount()).toBe(0);
  expect(pauseWhile.observed).toBe(false);
  for (const { abortListeners, isAborted, body } of driven.exchanges) {
    expect([abortListeners, isAborted || body?.isReleased, body?.isReleased ?? true]).toEqual([0, true, true]);
  }
  for (const { real } of lives) for (const what of [...real.values, ...real.endings]) note(what);
}

/** Longer than any linger. */
const longMs = 1_000;
