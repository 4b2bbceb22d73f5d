import { from, lastValueFrom, mergeMap, toArray } from 'rxjs';
import { fates } from './fates.js';
import { follow, type Followed, type Surroundings } from './follow.js';
import { collectGarbage } from '../test/support/collect-garbage.js';
import type { Plan } from './plan.js';

/** What became of some streams. */
export interface StreamsRun {
  readonly count: number;
  /** Those that went otherwise than their fate prescribes, in words. */
  readonly wrong: readonly string[];
  /** Responses that the endpoint was still sending when all streams had ended, and had been given time. */
  readonly unfinished: number;
  /** The most responses that were open at the endpoint at a time. */
  readonly peak: number;
}

/**
 * Runs streams, so many at a time, until each has ended and the endpoint has seen it; then compares with their fates.
 */
export async function runStreams(
  plans: readonly Plan[],
  concurrency: number,
  surroundings: Surroundings,
): Promise<StreamsRun> {
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
        const stream = follow(plan, surroundings);
        await stream.ended;
        running.delete(plan);
        return stream;
      }, concurrency),
      toArray(),
    ),
    { defaultValue: [] },
  );
  clearTimeout(deadline);

  const { endpoint } = surroundings;
  await endpoint.until(({ unfinished }) => unfinished === 0, collectGarbage);
  const { ends, unfinished, peakUnfinished } = await endpoint.state(true);
  const requests = new Map(ends);
  return {
    count: plans.length,
    wrong: followed.flatMap((stream) => compare(stream, requests.get(stream.plan.id) ?? [])),
    unfinished,
    peak: peakUnfinished,
  };
}

/** How long a batch of streams may take before that is a failure, in milliseconds. Usual are two seconds. */
const patienceMs = 120_000;

function compare({ plan, seen }: Followed, closedEarly: readonly (boolean | undefined)[]): string[] {
  const { requests, ...expected } = fates[plan.fate]!.outcome(plan);
  const say = (outcome: typeof expected, ends: readonly unknown[]): string =>
    `events [${outcome.events}], ${outcome.text.length} characters, ${outcome.end}, closed early [${ends.join()}]`;
  const got = seen();
  const is = say(got, closedEarly);
  const shouldBe = say(expected, requests);
  if (is === shouldBe && got.text === expected.text) return [];
  return [`stream ${plan.id} "${plan.fate}": ${is} instead of ${shouldBe}`];
}
