import fc from 'fast-check';
import type { Deed, ExpectedPipeline } from './expected/pipeline.js';
import { responseSteps } from './pipeline-plan.js';
import type { RealPipeline, Response } from './real-pipeline.js';

/** One step of the state machine. It runs on the expected pipeline and on the real one, and then both are compared. */
export type Step = fc.AsyncCommand<ExpectedPipeline, RealPipeline>;

/**
 * @param name - What a counterexample prints.
 * @param isPossible - Says of the expected state whether the step can be taken. An impossible step is left out.
 */
function step(
  name: string,
  act: (expected: ExpectedPipeline, real: RealPipeline) => unknown,
  isPossible: (expected: Readonly<ExpectedPipeline>) => boolean = () => true,
): Step {
  return {
    check: isPossible,
    async run(expected, real) {
      await act(expected, real);
      await real.check(expected);
    },
    toString: () => name,
  };
}

/** Lists of steps. A step with the weight 2 is drawn twice as often as one with the weight 1. */
function stepLists(maxSteps: number, ...weighted: fc.WeightedArbitrary<Step>[]): fc.Arbitrary<Iterable<Step>> {
  const { LIFECYCLE_REPLAY } = process.env;
  const replay = LIFECYCLE_REPLAY !== undefined && { replayPath: LIFECYCLE_REPLAY };
  // Short lists, which fast-check prefers, say little here.
  return fc.noBias(fc.commands([fc.oneof(...weighted)], { maxCommands: maxSteps, size: 'max', ...replay }));
}

const often = fc.constantFrom(true, true, true, false);

/** The steps of so many consumers. */
export function pipelineSteps(consumers: number): fc.Arbitrary<Iterable<Step>> {
  const who = fc.nat(consumers - 1);
  const steps = fc.array(responseSteps, { minLength: 1, maxLength: 4 });
  const response = fc.record({ steps, cut: fc.nat(60), turns: often });
  const deed = fc.record({ events: fc.nat(3), does: fc.constantFrom('pause', 'leave') });
  return stepLists(
    40,
    { weight: 18, arbitrary: fc.tuple(who, response).map(respond) },
    { weight: 7, arbitrary: fc.constantFrom(0, 1, 3, 10, 50, 1_000, 20_000).map(wait) },
    { weight: 4, arbitrary: fc.tuple(who, often).map(subscribe) },
    { weight: 2, arbitrary: who.map(leave) },
    { weight: 2, arbitrary: fc.tuple(who, deed).map(prepare) },
    { weight: 1, arbitrary: fc.constant(pause) },
    { weight: 3, arbitrary: fc.constant(resume) },
    { weight: 1, arbitrary: who.map(answerLate) },
  );
}

const respond = ([who, response]: [number, Response]): Step =>
  step(
    `${who} is sent ${JSON.stringify(response)}`,
    (expected, real) => real.respond(expected, expected.nameFor(who), response),
    (expected) => expected.invocationOf(who)?.isOpen === true,
  );

const wait = (ms: number): Step =>
  step(
    `wait ${ms} ms`,
    (expected, real) => real.wait(expected, ms),
    ({ clock }) => clock.pending > 0,
  );

export const subscribe = ([who, turns]: [number, boolean]): Step =>
  step(
    turns ? `subscribe ${who}` : `subscribe ${who}, without a turn of the event loop`,
    async (expected, real) => {
      if (expected.invocationOf(who)?.isOpen) real.note('came late');
      await real.subscribe(who, expected.nameFor(who), turns);
      expected.subscribe(who);
    },
    (expected) => !expected.listener(who),
  );

const leave = (who: number): Step =>
  step(
    `leave ${who}`,
    (expected, real) => {
      if (!expected.invocationOf(who)?.isOpen && expected.clock.pending > 0) real.note('left while waiting');
      return real.leave(expected, who);
    },
    (expected) => expected.listener(who) !== undefined,
  );

const prepare = ([who, { events, does }]: [number, Deed]): Step =>
  step(
    `${who} is to ${does} within an event, after ${events} others`,
    (expected, real) => {
      const consumer = expected.listener(who)!;
      consumer.deed = real.last.get(who)!.deed = { events: consumer.lines.length + events, does };
    },
    // Of several functions the network decides which one a pause meets first.
    (expected) => expected.listener(who) !== undefined && (does === 'leave' || expected.isShared),
  );

const pause = step('pause', (expected, real) => real.pause((expected.isPaused = true)));

const resume = step(
  'resume',
  (expected, real) => real.pause(false).then(() => expected.resume()),
  (expected) => expected.isPaused,
);

const answerLate = (who: number): Step =>
  step(
    `headers for ${who} after it has left`,
    (expected, real) => real.answerLate(expected.nameFor(who)),
    (expected) => expected.invocationOf(who)?.ends.includes('closed') === true,
  );
