import { checkValue, type OptionRule } from '../shared/check-options.js';
import { parsePosition, type Place, type Position } from './entry-id.js';

const maxKeyBytes = 512;

const invocationLog: OptionRule = {
  expected: 'an invocation log, from memoryLog() or redisLog()',
  isValid: (value) => typeof (Object(value) as { join?: unknown }).join === 'function',
};

const keyText: OptionRule = {
  expected: `a text of 1 to ${maxKeyBytes} bytes of UTF-8`,
  isValid: (value) => {
    if (typeof value !== 'string' || value === '') return false;
    return value.length <= maxKeyBytes && new TextEncoder().encode(value).length <= maxKeyBytes;
  },
};

/** The lease of an invocation, and of one whose own lease is not known, in milliseconds. */
export const defaultLeaseMs = 10_000;

/** How long a log's answer is waited for, in milliseconds: three leases. */
export const answerLimitMs = (leaseMs: number): number => 3 * leaseMs;

/** A position, or the word 'now'. */
export const positionOrNow: OptionRule = {
  expected: `a position such as '1732545600000-42', or 'now'`,
  isValid: (value) => value === 'now' || parsePosition(value) !== undefined,
};

/** Checks what all functions of a log take first. @throws TypeError or RangeError */
export function checkLogAndKey(caller: string, log: unknown, key: unknown): void {
  checkValue(caller, 'log', log, invocationLog);
  checkKey(caller, key);
}

/** Checks a log's key. @throws TypeError or RangeError */
export function checkKey(caller: string, key: unknown): void {
  if (typeof key === 'string' && !keyText.isValid(key)) {
    // The key itself may be a stranger's text.
    throw new RangeError(`${caller}: key must be ${keyText.expected}, not of ${key.length} characters`);
  }
  checkValue(caller, 'key', key, keyText);
}

/** Returns a checked option as a place. */
export function readAfter(after: Position | 'now' | undefined): Place | 'now' | undefined {
  return after === 'now' ? after : parsePosition(after);
}
