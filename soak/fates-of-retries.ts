import { retryInvocation } from 'rx-lambda-stream';
import type { ScriptStep } from 'rx-lambda-stream/local';
import { chunkSteps, delivered, hasBrought, textOf, type Fate, type Plan } from './fate.js';

/** No wait to speak of. */
const soon = { initialDelayMs: 1, jitter: 'none' } as const;

/** How many chunks an attempt sends that breaks halfway: one at least. */
const half = ({ chunks }: Plan): number => Math.ceil(chunks / 2);

/** A stream that breaks halfway once, and then goes on in this mode. */
function resuming(mode: 'restart' | 'replay' | 'continue', rest: (plan: Plan) => number): Fate {
  return {
    through: () => retryInvocation({ ...soon, idempotent: true, afterFirstChunk: mode }),
    script: (plan, attempt, server) =>
      attempt === 1
        ? [...chunkSteps(plan, 0, half(plan)), { waitFor: server.go() }, 'reset']
        : [...chunkSteps(plan, mode === 'continue' ? plan.from : 0), { complete: {} }],
    act: (moment, stream, plan) => hasBrought(moment, stream, plan, half(plan)) && stream.go(),
    outcome: (plan) => ({
      events: `head ${half(plan)} retry:${mode} head ${rest(plan) || ''} complete`.replace('  ', ' '),
      text: textOf(plan),
      end: 'completed',
      requests: [false, false],
    }),
  };
}

/** Fates of a stream that is resumed after it broke. */
export const resumingFates: Readonly<Record<string, Fate>> = {
  'is restarted': resuming('restart', ({ chunks }) => chunks),
  'is replayed': resuming('replay', (plan) => plan.chunks - half(plan)),
  'is continued': resuming('continue', (plan) => plan.chunks - half(plan)),
};

/** How the attempts of a stream fail before its first chunk. */
interface Failures {
  /** The first attempt's failure, and that of each attempt of a stream that is given up. */
  readonly first: readonly ScriptStep[];
  readonly second: readonly ScriptStep[];
  /** What each of the two delivers before it fails. */
  readonly heads: readonly [string, string];
  /** The error of the first one, in words. */
  readonly end: string;
  /** Whether the client closes the connection of the second one. */
  readonly closesSecond?: boolean;
}

export function retryFates({ first, second, heads, end, closesSecond = false }: Failures): Record<string, Fate> {
  return {
    'is retried before the first chunk': {
      isAlone: true,
      through: () => retryInvocation(soon),
      script: (plan, attempt) =>
        attempt > plan.failures ? [...chunkSteps(plan), { complete: {} }] : attempt === 1 ? first : second,
      outcome(plan) {
        const failed = heads.slice(0, plan.failures).map((head) => `${head}retry:fresh `);
        const requests = [...[false, closesSecond].slice(0, plan.failures), false];
        return { ...delivered(plan, 'completed', requests), events: `${failed.join('')}head ${plan.chunks} complete` };
      },
    },
    'is given up': {
      isAlone: true,
      through: (plan) => retryInvocation({ ...soon, maxAttempts: plan.failures + 1 }),
      script: () => first,
      outcome: ({ failures }) => ({
        events: `${`${heads[0]}retry:fresh `.repeat(failures)}${heads[0]}`.trim(),
        text: '',
        end,
        requests: Array<boolean>(failures + 1).fill(false),
      }),
    },
    'is left while it waits for its next attempt': {
      isAlone: true,
      through: () => retryInvocation({ initialDelayMs: 60_000, maxDelayMs: 60_000, jitter: 'none' }),
      script: () => first,
      act: (moment, stream) =>
        typeof moment === 'object' && moment.type === 'retry' && setImmediate(() => stream.leave()),
      outcome: () => ({ events: `${heads[0]}retry:fresh`, text: '', end: 'left', requests: [false] }),
    },
  };
}
