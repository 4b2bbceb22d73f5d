import { config, type Observable } from 'rxjs';
import { createRetryBudget, type LambdaStreamEvent } from 'rx-lambda-stream';
import { fakeInvoke } from 'rx-lambda-stream/testing';
import { expect } from 'vitest';
import { createDrivenFunction, type DrivenFunction } from './driven-function.js';
import { toBeTold, told, type Life } from './life.js';
import { createModelClock } from './rules/clock.js';
import { modelConsumer } from './rules/consumer.js';
import { modelInvocation, type ModelInvocation } from './rules/invocation.js';
import { modelSharing } from './rules/sharing.js';
import type { ModelSource } from './rules/events.js';
import { invocationOperators } from './pipeline.js';
import type { Plan } from './plan.js';
import type { Step } from './steps.js';
import { inVirtualTime } from './virtual-time.js';
import { watchConsumer } from './watch-consumer.js';

/** One function, the real one under the test's control, and the model of who invokes it. */
interface Branch {
  readonly driven: DrivenFunction;
  readonly invocation: ModelInvocation;
  readonly source: Observable<LambdaStreamEvent>;
  readonly modelSource: ModelSource;
}

/** One subscription of a consumer, and the model's. */
const client = { send: () => Promise.reject(new Error('not used')) };

/** Longer than any linger. */
const longMs = 1_000;

/** Plays the steps on the real pipeline and on the model, and compares the two after each step. */
export function play(plan: Plan, steps: readonly Step[], note: (what: string) => void = () => undefined): void {
  inVirtualTime((time) => {
    const clock = createModelClock();
    const unhandled: unknown[] = [];
    config.onUnhandledError = (error) => unhandled.push(error);

    const budgetPlan = plan.retry?.budget;
    const budget = budgetPlan && createRetryBudget(budgetPlan);
    const tokens = { left: budgetPlan?.capacity ?? 0 };
    const branches = new Map<string, Branch>();
    const lives: Life[] = [];
    const table: Record<string, () => Observable<LambdaStreamEvent>> = {};
    const invoke = fakeInvoke(table);

    function branchOf(who: number): Branch {
      const name = plan.share ? 'shared' : `of ${who}`;
      const known = branches.get(name);
      if (known) return known;
      const driven = createDrivenFunction(plan, name);
      table[name] = () => driven.respond();
      const invocation = modelInvocation(plan, name, clock, tokens);
      const branch: Branch = {
        driven,
        invocation,
        source: invoke(client, { FunctionName: name }, plan).pipe(invocationOperators(plan, budget)),
        modelSource: plan.share ? modelSharing(plan.share, clock, invocation) : invocation,
      };
      branches.set(name, branch);
      return branch;
    }

    const lifeOf = (who: number): Life | undefined => lives.filter((life) => life.who === who).at(-1);

    function take(step: Step): void {
      if (step.step === 'wait') {
        time.advance(step.ms);
        clock.advance(step.ms);
        return;
      }
      const branch = branchOf(step.who);
      const life = lifeOf(step.who);
      switch (step.step) {
        case 'subscribe': {
          if (life?.model.listens) return;
          if (plan.share && branch.invocation.open) note('came late');
          const model = modelConsumer(plan, branch.modelSource);
          model.subscribe();
          lives.push({ who: step.who, model, real: watchConsumer(plan, branch.source) });
          break;
        }
        case 'response':
          branch.invocation.take(step.response);
          branch.driven.take(step.response);
          break;
        case 'haunt':
          branch.driven.haunt();
          break;
        case 'unsubscribe':
          if (!plan.share && clock.pending > 0 && !branch.invocation.open) note('left while waiting');
          life?.model.unsubscribe();
          life?.real.unsubscribe();
          break;
        case 'switch':
        case 'stop':
          life?.model[step.step]();
          life?.real[step.step]();
      }
    }

    function check(): void {
      if (lives.length > 0 && !lives.some(({ model }) => model.listens) && clock.pending > 0) note('lingers');
      const open = invoke.invocations.filter(({ state }) => state === 'open').length;
      const real = {
        functions: [...branches.values()].map(({ driven: { activations, teardowns } }) => ({
          activations,
          active: activations - teardowns,
        })),
        open,
        timers: time.pending,
        tokens: budget?.tokens ?? 0,
        lives: lives.map(told),
        unhandled,
      };
      const active = [...branches.values()].map(({ invocation }) => (invocation.open ? 1 : 0));
      expect(real).toEqual({
        functions: [...branches.values()].map(({ invocation: { activations } }, index) => ({
          activations,
          active: active[index],
        })),
        open: active.reduce<number>((sum, one) => sum + one, 0),
        timers: clock.pending,
        tokens: tokens.left,
        lives: lives.map(toBeTold),
        unhandled: [],
      });
    }

    for (const step of steps) {
      take(step);
      check();
    }
    for (const { real, model } of lives) {
      model.unsubscribe();
      real.unsubscribe();
      check();
    }
    take({ step: 'wait', ms: longMs });
    check();
    expect([...branches.values()].map(({ driven }) => driven.activations - driven.teardowns)).toEqual(
      [...branches.values()].map(() => 0),
    );
    expect(time.pending).toBe(0);
    config.onUnhandledError = null;
    for (const { real } of lives) for (const what of [...real.values, ...real.endings]) note(what);
  });
}
