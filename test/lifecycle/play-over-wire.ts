import { BehaviorSubject, config } from 'rxjs';
import { createRetryBudget } from 'rx-lambda-stream';
import { expect, vi } from 'vitest';
import type { BodyKind } from './driven-body.js';
import type { DrivenClient } from './driven-client.js';
import { createModelClock } from './model/clock.js';
import { modelConsumer, type ModelConsumer } from './model/consumer.js';
import type { Plan } from './plan.js';
import type { Step } from './steps.js';
import { turnOfTheEventLoop } from './turn.js';
import { watchConsumer, type WatchedConsumer } from './watch-consumer.js';
import { createWireBranch, type WireBranch } from './wire-branch.js';

/** A step, where the responses can be paused too. */
export type WireStep = Step | { readonly step: 'pause' | 'resume' };

/** Longer than any linger. */
const longMs = 1_000;

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
  const branches = new Map<string, WireBranch>();
  const lives: { readonly who: number; readonly real: WatchedConsumer; readonly model: ModelConsumer }[] = [];
  const pauseWhile = new BehaviorSubject(false);
  const surroundings = { driven, plan, clock, tokens, budget, pauseWhile, checkHalf: checkAfterTurn };

  function branchOf(who: number): WireBranch {
    const name = plan.share ? 'shared' : `of ${who}`;
    const branch = branches.get(name) ?? createWireBranch(name, surroundings);
    branches.set(name, branch);
    return branch;
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
      case 'haunt':
        // A real response has nobody left to tell.
        return;
      case 'wait':
        await wait(step.ms);
        return;
      case 'pause':
        pauseWhile.next(true);
        return;
      case 'resume':
        pauseWhile.next(false);
        for (const branch of branches.values()) branch.resume();
        return;
      case 'response':
        await branchOf(step.who).respond(step.response);
        return;
    }
    const life = lives.filter(({ who }) => who === step.who).at(-1);
    if (step.step !== 'subscribe') {
      life?.model[step.step]();
      life?.real[step.step]();
    } else if (!life?.model.listens) {
      const branch = branchOf(step.who);
      if (plan.share && branch.invocation.open) note('came late');
      const model = modelConsumer(plan, clock, branch.modelSource);
      model.subscribe();
      lives.push({ who: step.who, model, real: watchConsumer(plan, branch.source) });
    }
  }

  async function checkAfterTurn(): Promise<void> {
    await turnOfTheEventLoop();
    const all = [...branches.values()];
    if (pauseWhile.value && all.some(({ isHolding }) => isHolding)) note('paused');
    for (const { invocation } of all) note(`attempt ${invocation.attempt}`);
    const possiblyIdle = all.filter(({ modelSource }) => modelSource.mayHaveIdleTimer).length;
    const idleTimers = Math.min(possiblyIdle, Math.max(0, vi.getTimerCount() - clock.pending));
    expect({
      requests: all.map(({ requests }) => requests),
      active: all.map(({ active }) => active),
      timers: vi.getTimerCount() - idleTimers,
      tokens: budget?.tokens ?? 0,
      lives: lives.map(({ real: { values, endings, late } }) => ({ values, endings, late })),
      unhandled,
    }).toEqual({
      requests: all.map(({ invocation }) => invocation.activations),
      active: all.map(({ invocation }) => (invocation.open ? 1 : 0)),
      timers: clock.pending,
      tokens: tokens.left,
      lives: lives.map(({ model: { values, ending } }) => ({
        values,
        endings: ending === undefined ? [] : [ending],
        late: [],
      })),
      unhandled: [],
    });
  }

  for (const step of steps) {
    await perform(step);
    await checkAfterTurn();
  }
  for (const { who } of lives) {
    await perform({ step: 'unsubscribe', who });
    await checkAfterTurn();
  }
  await wait(longMs);
  await checkAfterTurn();
  expect([vi.getTimerCount(), pauseWhile.observed]).toEqual([0, false]);
  for (const { abortListeners, isAborted, body } of driven.exchanges) {
    expect([abortListeners, isAborted || body?.isReleased, body?.isReleased ?? true]).toEqual([0, true, true]);
  }
  for (const { real } of lives) for (const what of [...real.values, ...real.endings]) note(what);
}
