import { checkKey } from '../log/log-arguments.js';
import { callback, checkOptions, flag, oneOf, text, type OptionRule } from '../shared/check-options.js';
import type { RelayGrant } from './relay-options.js';

const rules: Readonly<Record<string, OptionRule>> = {
  key: {
    expected: 'a text that is not empty, or a list of texts',
    isValid: (value) =>
      (typeof value === 'string' && value !== '') ||
      (Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'string')),
  },
  open: callback,
  client: text,
  expose: oneOf(['all']),
  afterProducerLoss: oneOf(['error', 'restart', 'replay', 'continue']),
  idempotent: flag,
};

/** A grant of `authorize` that was checked. */
export interface CheckedGrant extends Omit<RelayGrant, 'key'> {
  readonly key?: string;
}

/**
 * Checks what `authorize` returned. A key with an undefined part would give different users the same answer.
 *
 * @throws TypeError for anything that is not a grant, RangeError for a key that a log does not take.
 */
export function checkGrant(grant: unknown): CheckedGrant {
  checkOptions('authorize', grant ?? null, rules);
  const { key: given, ...rest } = grant as RelayGrant;
  if (given === undefined) return rest;
  // JSON keeps the parts apart, whatever characters they have.
  const key = typeof given === 'string' ? given : JSON.stringify(given);
  checkKey('authorize', key);
  return { ...rest, key };
}
