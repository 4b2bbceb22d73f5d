import {
  callback,
  checkOptions,
  checkValue,
  flag,
  limitFrom,
  oneOf,
  text,
  timeLimitMs,
  type OptionRule,
} from '../shared/check-options.js';
import { isTexts } from '../shared/json.js';
import type { LocalLambdaOptions, LocalProblem } from './local-lambda-options.js';
import { checkFunctions } from './runtime/local-function.js';

/** The options with their defaults. */
export type Settings = Required<Omit<LocalLambdaOptions, 'bandwidth' | 'onInvocation'>> &
  Pick<LocalLambdaOptions, 'bandwidth' | 'onInvocation'>;

const defaults = {
  host: '127.0.0.1',
  port: 0,
  functionUrls: false,
  cors: false,
  allowedHosts: [],
  errorReporting: 'error-code',
  dryRun: 'no-content',
  /** AWS cuts a streamed response after this many bytes. */
  maxResponseBytes: 209_715_201,
  /** AWS's limit for the request body of a synchronous invocation. */
  maxRequestBytes: 6_291_456,
  requestTimeoutMs: 60_000,
  keepRequests: true,
  onProblem: printProblem,
} as const;

const origin = /^(null|[a-z][a-z0-9+.-]*:\/\/[^/?#@\s,*]+)$/i;
const isListOf = (value: unknown, isItem: (item: string) => boolean): boolean => isTexts(value) && value.every(isItem);

const port: OptionRule = {
  expected: 'a whole number from 0 to 65535',
  isValid: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535,
  isNumber: true,
};

/** The rules of {@link LocalLambdaOptions}. The command's options obey them too. */
export const endpointRules = {
  host: text,
  port,
  functionUrls: oneOf([], {
    expected: 'true, false or { port }',
    isValid: (value) => typeof value === 'boolean' || (typeof value === 'object' && value !== null),
  }),
  cors: {
    expected: "true, false or an array of origins such as 'https://app.example'",
    isValid: (value) => typeof value === 'boolean' || isListOf(value, (item) => origin.test(item)),
  },
  allowedHosts: {
    expected: "an array of host names without a port, such as 'host.docker.internal'",
    isValid: (value) => isListOf(value, (item) => /^[^\s/:@,*]+$/.test(item)),
  },
  errorReporting: oneOf(['error-code', 'silent']),
  dryRun: oneOf(['no-content', 'run']),
  bandwidth: oneOf(['aws'], { expected: '{ freeBytes, bytesPerSecond }', isValid: isBandwidth }),
  maxResponseBytes: limitFrom(0),
  maxRequestBytes: limitFrom(0),
  requestTimeoutMs: timeLimitMs,
  keepRequests: flag,
  onInvocation: callback,
  onProblem: callback,
} satisfies Readonly<Record<Exclude<keyof LocalLambdaOptions, 'functions'>, OptionRule>>;

const optionsObject: OptionRule = {
  expected: 'an object such as { functions }',
  isValid: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

/**
 * Checks the options and fills in the defaults.
 *
 * @throws TypeError or RangeError with the option's name.
 */
export function toSettings(options: LocalLambdaOptions): Settings {
  checkValue('startLocalLambda', 'options', options, optionsObject);
  checkOptions('startLocalLambda', options, endpointRules);
  if (typeof options.functionUrls === 'object') {
    checkOptions('startLocalLambda: functionUrls', options.functionUrls, { port });
  }
  checkFunctions(options.functions);
  const chosen = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { ...defaults, ...(chosen as unknown as LocalLambdaOptions) };
}

function isBandwidth(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { freeBytes, bytesPerSecond } = value as Partial<Record<string, unknown>>;
  const isAmount = (amount: unknown): boolean => typeof amount === 'number' && amount >= 0;
  return isAmount(freeBytes) && isAmount(bytesPerSecond) && bytesPerSecond !== 0;
}

function printProblem({ message }: LocalProblem): void {
  process.stderr.write(`rx-lambda-stream/local: ${message}\n`);
}
