import { retryInvocation } from 'rx-lambda-stream';
import type { Fate } from './fate.js';
import { chunkSteps, half, textOf, type Plan } from './plan.js';

const throttle = { httpError: { statusCode: 429, name: 'TooManyRequestsException', message: 'm' } } as const;

/** No wait to speak of. */
const soon = { initialDelayMs: 1, jitter: 'none' } as const;

/** What comes of a stream that breaks halfway, once, and then goes on in this mode. */
function resumed(plan: Plan, mode: string, rest: number): ReturnType<Fate['outcome']> {
  return {
    events: `head ${half(plan)} retry:${mode} head${rest ? ` ${rest}` : ''} complete`,
    text: textOf(plan),
    end: 'completed',
    requests: [false, false],
  };
}

/** Half of the response at first, and a cut; then all of it. */
const cutOnce: NonNullable<Fate['script']> = (plan, attempt) =>
  attempt === 1 ? chunkSteps(plan, 0, half(plan)) : [...chunkSteps(plan), { complete: {} }];

/** Fates with more than one attempt. */
export const fatesOfRetries: Readonly<Record<string, Fate>> = {
  'is retried before the first chunk': {
    isAlone: true,
    retry: () => retryInvocation(soon),
    script(plan, attempt) {
      if (attempt > plan.failures) return [...chunkSteps(plan), { complete: {} }];
      return attempt === 1 ? [throttle] : [{ exception: 'ServiceException', body: {} }, 'stall'];
    },
    outcome: (plan) => ({
      events: `retry:fresh${plan.failures === 2 ? ' head retry:fresh' : ''} head ${plan.chunks} complete`,
      text: textOf(plan),
      end: 'completed',
      requests: plan.failures === 2 ? [false, true, false] : [false, false],
    }),
  },
  'is restarted': {
    retry: () => retryInvocation({ ...soon, idempotent: true, afterFirstChunk: 'restart' }),
    script: cutOnce,
    outcome: (plan) => resumed(plan, 'restart', plan.chunks),
  },
  'is replayed': {
    retry: () => retryInvocation({ ...soon, idempotent: true, afterFirstChunk: 'replay' }),
    script: cutOnce,
    outcome: (plan) => resumed(plan, 'replay', plan.chunks - half(plan)),
  },
  'is continued': {
    retry: () => retryInvocation({ ...soon, idempotent: true, afterFirstChunk: 'continue' }),
    script: (plan, attempt) =>
      attempt === 1 ? chunkSteps(plan, 0, half(plan)) : [...chunkSteps(plan, plan.from), { complete: {} }],
    outcome: (plan) => resumed(plan, 'continue', plan.chunks - half(plan)),
  },
  'is given up': {
    isAlone: true,
    retry: (plan) => retryInvocation({ ...soon, maxAttempts: plan.failures + 1 }),
    script: () => [throttle],
    outcome: ({ failures }) => ({
      events: Array(failures).fill('retry:fresh').join(' '),
      text: '',
      end: 'TooManyRequestsException',
      requests: Array<boolean>(failures + 1).fill(false),
    }),
  },
  'is left while it waits for its next attempt': {
    isAlone: true,
    retry: () => retryInvocation({ initialDelayMs: 60_000, maxDelayMs: 60_000, jitter: 'none' }),
    script: () => [throttle],
    act: (moment, stream) => {
      if (typeof moment === 'object' && moment.type === 'retry') setImmediate(() => stream.leave());
    },
    outcome: () => ({ events: 'retry:fresh', text: '', end: 'left', requests: [false] }),
  },
};
