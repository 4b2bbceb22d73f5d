import { LambdaServiceException } from '@aws-sdk/client-lambda';
import { classifyInvocationError, FunctionError, isLambdaStreamError, TruncatedStreamError } from 'rx-lambda-stream';
import { chunkFrame } from '../test/support/frames.js';
import { isLastChunk, type Fate, type Outcome } from './fate.js';
import { chunkSteps, textOf, type Plan } from './plan.js';

/** HTTP errors to pick from. */
const refusals = [
  { statusCode: 429, name: 'TooManyRequestsException', body: { Reason: 'CallerRateLimitExceeded' } },
  { statusCode: 500, name: 'ServiceException' },
  { statusCode: 409, name: 'ResourceConflictException' },
  { statusCode: 403, name: 'EFSMountFailureException' },
];
const refusalOf = ({ id }: Plan): (typeof refusals)[number] => refusals[id % refusals.length]!;

const errorDetails = JSON.stringify({ errorType: 'RangeError', errorMessage: 'out of range', trace: [] });

/** What comes of a stream that delivers all its chunks, and then ends in this way. */
function delivered(plan: Plan, end: string, requests = [false], last = ''): Outcome {
  return { events: `head ${plan.chunks}${last}`, text: textOf(plan), end, requests };
}

function truncated({ chunks, chunkBytes }: Plan, how = 'ended'): string {
  return `truncated (${how}) after ${chunks} chunks, ${chunks * chunkBytes} bytes`;
}

/** An error in words: all that a caller would act on. */
export function describeError(error: unknown): string {
  if (error instanceof TruncatedStreamError) {
    const { chunks, bytes, cause } = error;
    return `truncated (${cause === undefined ? 'ended' : 'broke'}) after ${chunks} chunks, ${bytes} bytes`;
  }
  if (error instanceof FunctionError) return `${error.code}: ${error.errorCode}, ${String(error.errorType)}`;
  if (isLambdaStreamError(error)) return error.code;
  if (error instanceof LambdaServiceException) {
    const { Reason = '' } = error as { Reason?: string };
    return `${error.name} ${Reason}`.trim();
  }
  const { verdict, mayHaveRun } = classifyInvocationError(error);
  return mayHaveRun && verdict === 'soon' ? 'a broken connection' : `unexpected: ${String(error)}`;
}

/** Fates that the function, or the way from it, decides; the client just listens. */
export const fatesOfFunctions: Readonly<Record<string, Fate>> = {
  completes: {
    script: (plan) => [...chunkSteps(plan), { complete: { logTail: 'END' } }],
    outcome: (plan) => delivered(plan, 'completed', [false], ' complete'),
  },
  'completes in one read': {
    script: (plan) => [{ batch: [...chunkSteps(plan), { complete: {} }] as never }],
    outcome: (plan) => delivered(plan, 'completed', [false], ' complete'),
  },
  'is truncated': {
    script: (plan) => chunkSteps(plan),
    outcome: (plan) => delivered(plan, truncated(plan)),
  },
  'is truncated within a frame': {
    script: (plan) => [...chunkSteps(plan), { raw: chunkFrame('never seen').subarray(0, 20) }],
    outcome: (plan) => delivered(plan, truncated(plan)),
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
};
