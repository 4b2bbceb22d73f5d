import fc from 'fast-check';
import { describe, it, vi } from 'vitest';
import { expectNoStrays } from '../support/no-strays.js';
import { createLedger, runs } from '../support/random-runs.js';
import type { BodyKind } from './driven-body.js';
import { useDrivenClient } from './driven-client.js';
import { ExpectedPipeline } from './expected/pipeline.js';
import { pipelinePlans, type PipelinePlan } from './pipeline-plan.js';
import { pipelineSteps, subscribe, type Step } from './pipeline-steps.js';
import { RealPipeline } from './real-pipeline.js';

expectNoStrays();

const driven = useDrivenClient();

/** Runs the steps on a pipeline to which one consumer is subscribed from the start. */
async function run(
  kind: BodyKind,
  note: (what: string) => void,
  plan: PipelinePlan,
  steps: Iterable<Step>,
): Promise<void> {
  // Left from a run that failed.
  vi.clearAllTimers();
  driven.reset(kind, plan.heedsAborts);
  const expected = new ExpectedPipeline(plan);
  const real = new RealPipeline(plan, driven, note);
  await subscribe([0, true]).run(expected, real);
  await fc.asyncModelRun(() => ({ model: expected, real }), steps);
  await real.end(expected);
}

/** Some hundred runs take seconds each on a loaded machine. */
const timeoutMs = 120_000;

describe.each<BodyKind>(['Node', 'web'])('on a real client, with bodies of kind %s', (kind) => {
  /** @param situations - What the runs have to meet: by name, the note that shows each. */
  function property(
    sentence: string,
    usualRuns: number,
    plans: fc.Arbitrary<PipelinePlan>,
    consumers: number,
    situations: Readonly<Record<string, RegExp>>,
  ): void {
    it(
      sentence,
      async () => {
        const ledger = createLedger(situations);
        const steps = pipelineSteps(consumers);
        const holds = fc.asyncProperty(plans, steps, (...drawn) => run(kind, ledger.note, ...drawn));
        await fc.assert(holds, runs(usualRuns));
        ledger.expectAllMet();
      },
      timeoutMs,
    );
  }

  property(
    'an invocation has at most one request, closes it, and delivers what was sent, in any order of steps',
    300,
    pipelinePlans({ retry: false }),
    2,
    {
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
    },
  );

  property(
    'retryInvocation delivers what each mode promises, one attempt at a time, in any order of steps',
    400,
    pipelinePlans({ retry: true, share: false }),
    2,
    {
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
    },
  );

  property(
    'a shared pipeline has at most one invocation for all its consumers, and none when they have left',
    400,
    pipelinePlans({ share: true }),
    4,
    {
      'a subscriber that comes late': /^came late$/,
      'nobody listening while it lingers': /^lingers$/,
      'more late than the limit allows': /^ReplayLimitError/,
      'a restart': /^retry \d+ in \d+ ms, restart/,
      'a second invocation': /^head 200 shared#2/,
      'a pause within an event': /^pause within an event$/,
      'something held back by a pause': /^held back$/,
      'an error': /^reset$/,
      'an end': /^complete$/,
    },
  );
});
