import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { OptionRule } from '../shared/check-options.js';

/** Thrown for a command line that cannot be understood. The command then ends with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A text of the command line, or the file that holds the text. The file `-` is stdin. */
export type TextSource = { readonly text: string } | { readonly file: string };

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<T extends Options> = ReturnType<typeof parseArgs<{ options: T; allowPositionals: true }>>;

/** An option with a value, for {@link parseCommandLine}. */
export const textOption = { type: 'string' } as const;
/** An option with a value that may be given several times. */
export const textsOption = { type: 'string', multiple: true } as const;
/** An option without a value. */
export const flagOption = { type: 'boolean', default: false } as const;

/** Parses a command's arguments. @throws UsageError for an unknown option or a missing value. */
export function parseCommandLine<const T extends Options>(args: readonly string[], options: T): Parsed<T> {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/**
 * Checks an option's value by the rule of the function that takes it. @throws UsageError for a value that it refuses.
 */
export function obey<T>(option: string, value: T, rule: OptionRule): T {
  if (value === undefined || rule.isValid(value)) return value;
  throw new UsageError(`${option} must be ${rule.expected}, not ${String(value)}`);
}

/** Reads an option's value as a number. @throws UsageError where it is not a whole number or the rule refuses it. */
export function wholeNumber(option: string, value: string | undefined, rule: OptionRule): number | undefined {
  if (value === undefined) return undefined;
  const number = /^(\d{1,15}|Infinity)$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isNaN(number)) throw new UsageError(`${option} needs a whole number, not ${value}`);
  return obey(option, number, rule);
}

/** Reads an option's value as an http or https URL. @throws UsageError for anything else. */
export function httpUrl(option: string, value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  // `localhost:3001` is a valid URL too, with the scheme `localhost`.
  if (url === undefined || !/^https?:$/.test(url.protocol) || !/^https?:\/\//i.test(value)) {
    const host = /^[\w.-]+(:\d+)?(\/|$)/.test(value) ? ` Did you mean http://${value} ?` : '';
    throw new UsageError(`${option} needs a URL that starts with http:// or https://, not ${value}.${host}`);
  }
  return url;
}

/** The exit codes, by kind of failure. `--help` documents them. */
export const exitCodes = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  functionFailed: 3,
  refused: 4,
  unavailable: 5,
  broken: 6,
  unreachable: 7,
  timedOut: 8,
  unreadable: 9,
  httpStatus: 10,
  interrupted: 130,
  terminated: 143,
} as const;
