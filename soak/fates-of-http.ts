import { chunkSteps, delivered, hasBrought, truncated, type Fate, type Plan } from './fate.js';
import { retryFates } from './fates-of-retries.js';

const busy = { httpError: { statusCode: 503, message: 'm', headers: { 'retry-after': '0' } } };
const throttled = { httpError: { statusCode: 429, message: 'm' } };
const refusalOf = ({ id }: Plan): number => [400, 403, 404, 409, 429, 500, 502, 503][id % 8]!;

/** Fates of a plain HTTP response, as function URLs give it. `fetchResponseStream` reads it. */
export const fatesOfHttp: Readonly<Record<string, Fate>> = {
  completes: {
    script: (plan) => [...chunkSteps(plan), { complete: {} }],
    outcome: (plan) => delivered(plan, 'completed', [false], ' complete'),
  },
  'fails as a function, within its body': {
    script: (plan, _attempt, server) => [
      ...chunkSteps(plan),
      { waitFor: server.go() },
      { complete: { errorCode: 'Unhandled' } },
    ],
    act: (moment, stream, plan) => hasBrought(moment, stream, plan) && stream.go(),
    outcome: (plan) => delivered(plan, truncated(plan, 'broke')),
  },
  'fails as a function, before its body': {
    script: () => [{ complete: { errorCode: 'Unhandled' } }],
    outcome: () => ({ events: 'head', text: '', end: 'status 502', requests: [false] }),
  },
  'is refused': {
    isAlone: true,
    script: (plan) => [{ httpError: { statusCode: refusalOf(plan), message: 'm' } }],
    outcome: (plan) => ({ events: 'head', text: '', end: `status ${refusalOf(plan)}`, requests: [false] }),
  },
  // A status has a head of its own.
  ...retryFates({ first: [throttled], second: [busy], heads: ['head ', 'head '], end: 'status 429' }),
};
