import { chunkFrame } from '../test/support/frames.js';
import { chunkSteps, delivered, truncated, type Fate, type Plan } from './fate.js';
import { retryFates } from './fates-of-retries.js';

/** HTTP errors to pick from. */
const refusals = [
  { statusCode: 429, name: 'TooManyRequestsException', body: { Reason: 'CallerRateLimitExceeded' } },
  { statusCode: 500, name: 'ServiceException' },
  { statusCode: 409, name: 'ResourceConflictException' },
  { statusCode: 403, name: 'EFSMountFailureException' },
];
const refusalOf = ({ id }: Plan): (typeof refusals)[number] => refusals[id % refusals.length]!;

const errorDetails = JSON.stringify({ errorType: 'RangeError', errorMessage: 'out of range', trace: [] });

/** Fates that a function of the SDK's, or the way from it, decides. The client just listens. */
export const fatesOfFunctions: Readonly<Record<string, Fate>> = {
  completes: {
    script: (plan) => [...chunkSteps(plan), { complete: { logTail: 'END' } }],
    outcome: (plan) => delivered(plan, 'completed', [false], ' complete'),
  },
  'completes in one read': {
    script: (plan) => [{ batch: [...chunkSteps(plan), { complete: {} }] }],
    outcome: (plan) => delivered(plan, 'completed', [false], ' complete'),
  },
  'is truncated': {
    script: (plan) => chunkSteps(plan),
    outcome: (plan) => delivered(plan, truncated(plan, 'ended')),
  },
  'is truncated within a frame': {
    script: (plan) => [...chunkSteps(plan), { raw: chunkFrame('never seen').subarray(0, 20) }],
    outcome: (plan) => delivered(plan, truncated(plan, 'ended')),
  },
  'is throttled within the stream': {
    script: (plan) => [
      ...chunkSteps(plan),
      { exception: 'TooManyRequestsException', body: { message: 'm', Reason: 'CallerRateLimitExceeded' } },
      'stall',
    ],
    outcome: (plan) => delivered(plan, 'TooManyRequestsException CallerRateLimitExceeded', [true]),
  },
  'gets an error frame': {
    script: (plan) => [...chunkSteps(plan), { errorFrame: { code: 'InternalFailure', message: 'm' } }, 'stall'],
    outcome: (plan) => delivered(plan, 'InternalFailure', [true]),
  },
  'is damaged': {
    script: (plan) => [...chunkSteps(plan), { badCrc: 'message' }, 'stall'],
    outcome: (plan) => delivered(plan, 'protocol', [true]),
  },
  'fails as a function': {
    script: (plan) => [...chunkSteps(plan), { complete: { errorCode: 'Unhandled', errorDetails } }],
    outcome: (plan) => delivered(plan, 'function-error: Unhandled, RangeError'),
  },
  'fails as a function, as an event': {
    options: { functionErrors: 'emit' },
    script: (plan) => [...chunkSteps(plan), { complete: { errorCode: 'Unhandled', errorDetails } }],
    outcome: (plan) => delivered(plan, 'completed', [false], ' complete:Unhandled'),
  },
  'is refused': {
    isAlone: true,
    script: (plan) => [{ httpError: { message: 'm', ...refusalOf(plan) } }],
    outcome(plan) {
      const { name, body } = refusalOf(plan);
      return { events: '', text: '', end: `${name} ${body?.Reason ?? ''}`.trim(), requests: [false] };
    },
  },
  ...retryFates({
    first: [{ httpError: { statusCode: 429, name: 'TooManyRequestsException', message: 'm' } }],
    second: [{ exception: 'ServiceException', body: {} }, 'stall'],
    heads: ['', 'head '],
    end: 'TooManyRequestsException',
    closesSecond: true,
  }),
};
