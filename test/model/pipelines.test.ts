import fc from 'fast-check';
import { describe, it, vi } from 'vitest';
import { expectNoStrays } from '../support/no-strays.js';
import type { BodyKind } from './driven-body.js';
import { ExpectedPipeline } from './expected/pipeline.js';
import { createLedger, runs, step, stepLists, type Step } from './machine.js';
import { pipelinePlans, responseSteps, type PipelinePlan } from './pipeline-plan.js';
import { RealPipeline } from './real-pipeline.js';
import { useDrivenClient } from './use-driven-client.js';

expectNoStrays();

const driven = useDrivenClient();

type PipelineStep = Step<ExpectedPipeline, RealPipeline>;
type Expected = Readonly<ExpectedPipeline>;

const often = fc.constantFrom(true, true, true, false);

/** The steps of so many consumers. */
function pipelineSteps(consumers: number): fc.Arbitrary<Iterable<PipelineStep>> {
  const who = fc.nat(consumers - 1);
  const response = fc.record({
    steps: fc.array(responseSteps, { minLength: 1, maxLength: 4 }),
    cut: fc.nat(60),
    turns: often,
  });
  const deed = fc.record({ events: fc.nat(3), does: fc.constantFrom('pause' as const, 'leave' as const) });
  return stepLists<ExpectedPipeline, RealPipeline>(40, [
    [
      18,
      fc.tuple(who, response).map(([one, reads]) =>
        step(
          `${one} is sent ${JSON.stringify(reads)}`,
          (expected, real) => real.respond(expected, expected.nameFor(one), reads),
          (expected) => expected.invocationOf(one)?.isOpen === true,
        ),
      ),
    ],
    [
      7,
      fc.constantFrom(0, 1, 3, 10, 50, 1_000, 20_000).map((ms) =>
        step(
          `wait ${ms} ms`,
          (expected, real) => real.wait(expected, ms),
          ({ clock }: Expected) => clock.pending > 0,
        ),
      ),
    ],
    [4, fc.tuple(who, often).map(([one, turns]) => subscribe(one, turns))],
    [2, who.map(leave)],
    [
      2,
      fc.tuple(who, deed).map(([one, { events, does }]) =>
        step(
          `${one} is to ${does} within an event, after ${events} others`,
          (expected, real) => {
            const consumer = expected.listener(one)!;
            consumer.deed = { events: consumer.lines.length + events, does };
            real.prepare(one, consumer.deed);
          },
          // Of several functions the network decides which one a pause meets first.
          (expected) => expected.listener(one) !== undefined && (does === 'leave' || expected.isShared),
        ),
      ),
    ],
    [1, fc.constant(pause)],
    [3, fc.constant(resume)],
    [1, who.map(answerLate)],
  ]);
}

const subscribe = (who: number, turns: boolean): PipelineStep =>
  step(
    turns ? `subscribe ${who}` : `subscribe ${who}, without a turn of the event loop`,
    (expected, real) => {
      if (expected.invocationOf(who)?.isOpen) real.note('came late');
      const subscribing = real.subscribe(who, expected.nameFor(who), turns);
      return subscribing.then(() => expected.subscribe(who));
    },
    (expected) => !expected.listener(who),
  );

const leave = (who: number): PipelineStep =>
  step(
    `leave ${who}`,
    (expected, real) => {
      if (!expected.invocationOf(who)?.isOpen && expected.clock.pending > 0) real.note('left while waiting');
      return real.leave(expected, who);
    },
    (expected) => expected.listener(who) !== undefined,
  );

const pause: PipelineStep = step('pause', (expected, real) => {
  expected.isPaused = true;
  return real.pause(true);
});

const resume: PipelineStep = step(
  'resume',
  async (expected, real) => {
    await real.pause(false);
    expected.resume();
  },
  (expected) => expected.isPaused,
);

const answerLate = (who: number): PipelineStep =>
  step(
    `headers for ${who} after it has left`,
    (expected, real) => real.answerLate(expected.nameFor(who)),
    (expected) => expected.invocationOf(who)?.ends.includes('closed') === true,
  );

/** Runs the steps on a pipeline to which one consumer is subscribed from the start. */
async function run(
  kind: BodyKind,
  plan: PipelinePlan,
  steps: Iterable<PipelineStep>,
  note: (what: string) => void,
): Promise<void> {
  // Left from a run that failed.
  vi.clearAllTimers();
  driven.reset(kind, plan.heedsAborts);
  const expected = new ExpectedPipeline(plan);
  const real = new RealPipeline(plan, driven, note);
  await subscribe(0, true).run(expected, real);
  await fc.asyncModelRun(() => ({ model: expected, real }), steps);
  await real.end(expected);
}

/** Some hundred runs take seconds each on a loaded machine. */
const timeoutMs = 120_000;

describe.each<BodyKind>(['Node', 'web'])('on a real client, with bodies of kind %s', (kind) => {
  it(
    'an invocation has at most one request, closes it, and delivers what was sent, in any order of steps',
    async () => {
      const ledger = createLedger({
        'an end': /^complete$/,
        'a failed function': /^FunctionError/,
        'an exception': /^throttled$/,
        'damaged bytes': /^ProtocolError$/,
        'a truncated stream': /^TruncatedStreamError/,
        'a request that cannot be sent': /^refused$/,
        'a subscription without a request': /^no request$/,
        'headers after leaving': /^headers after leaving$/,
        'leaving within an event': /^leave within an event$/,
        'something held back by a pause': /^held back$/,
        'a connection that is read on to its end': /^read on$/,
      });
      await fc.assert(
        fc.asyncProperty(pipelinePlans({ retry: false }), pipelineSteps(2), (plan, steps) =>
          run(kind, plan, steps, ledger.note),
        ),
        runs(300),
      );
      ledger.expectAllMet();
    },
    timeoutMs,
  );

  it(
    'retryInvocation delivers what each mode promises, one attempt at a time, in any order of steps',
    async () => {
      const ledger = createLedger({
        'a retry before the first chunk': /^retry \d+ in \d+ ms, fresh/,
        'a restart': /^retry \d+ in \d+ ms, restart/,
        'a replay': /^retry \d+ in \d+ ms, replay/,
        'a continue': /^retry \d+ in \d+ ms, continue/,
        'a third attempt': /^retry 3/,
        'a Retry-After': /^retry \d+ in 1000 ms/,
        'a longer Retry-After': /^throttled for ten minutes$/,
        'a verdict of later': /^retry .*not ready/,
        'another answer to a replay': /^ReplayMismatchError/,
        'a failure that is not retried': /^invalid zip$/,
        'a failed function': /^FunctionError/,
        'an end': /^complete$/,
        'leaving while it waits': /^left while waiting$/,
      });
      await fc.assert(
        fc.asyncProperty(pipelinePlans({ retry: true, share: false }), pipelineSteps(2), (plan, steps) =>
          run(kind, plan, steps, ledger.note),
        ),
        runs(400),
      );
      ledger.expectAllMet();
    },
    timeoutMs,
  );

  it(
    'a shared pipeline has at most one invocation for all its consumers, and none when they have left',
    async () => {
      const ledger = createLedger({
        'a subscriber that comes late': /^came late$/,
        'nobody listening while it lingers': /^lingers$/,
        'more late than the limit allows': /^ReplayLimitError/,
        'a restart': /^retry \d+ in \d+ ms, restart/,
        'a second invocation': /^head 200 shared#2/,
        'a pause within an event': /^pause within an event$/,
        'something held back by a pause': /^held back$/,
        'an error': /^reset$/,
        'an end': /^complete$/,
      });
      await fc.assert(
        fc.asyncProperty(pipelinePlans({ share: true }), pipelineSteps(4), (plan, steps) =>
          run(kind, plan, steps, ledger.note),
        ),
        runs(400),
      );
      ledger.expectAllMet();
    },
    timeoutMs,
  );
});
