/** The longest delay of JavaScript's timers, in milliseconds. They fire a longer one at once. */
export const maxTimerMs = 2 ** 31 - 1;

/** The rule that an option's value must obey. */
export interface OptionRule {
  /** Completes the sentence "name must be …". */
  readonly expected: string;
  readonly isValid: (value: unknown) => boolean;
  /** Whether a number that is not valid is out of range (RangeError) rather than of the wrong type (TypeError). */
  readonly isNumber?: boolean;
}

/** A limit: a whole number from `least` on, or Infinity for no limit. */
export const limitFrom = (least: number): OptionRule => ({
  expected: `a whole number from ${least} on, or Infinity`,
  isValid: (value) => value === Infinity || (Number.isInteger(value) && (value as number) >= least),
  isNumber: true,
});

/** A delay in milliseconds. Infinity is not a delay. */
export const delayMs: OptionRule = {
  expected: `from 0 to ${maxTimerMs} milliseconds`,
  isValid: (value) => typeof value === 'number' && value >= 0 && value <= maxTimerMs,
  isNumber: true,
};

/** A time in milliseconds with a least value. Infinity is not allowed. */
export const durationFrom = (leastMs: number): OptionRule => ({
  expected: `from ${leastMs} to ${maxTimerMs} milliseconds`,
  isValid: (value) => typeof value === 'number' && value >= leastMs && value <= maxTimerMs,
  isNumber: true,
});

/** A time limit in milliseconds, or Infinity for no limit. */
export const timeLimitMs: OptionRule = {
  expected: `from 1 to ${maxTimerMs} milliseconds, or Infinity`,
  isValid: (value) => value === Infinity || (typeof value === 'number' && value >= 1 && value <= maxTimerMs),
  isNumber: true,
};

/** A finite number above 0. */
export const positive: OptionRule = {
  expected: 'a positive number',
  isValid: (value) => typeof value === 'number' && value > 0 && value < Infinity,
  isNumber: true,
};

export const flag: OptionRule = { expected: 'true or false', isValid: (value) => typeof value === 'boolean' };

export const callback: OptionRule = { expected: 'a function', isValid: (value) => typeof value === 'function' };

export const text: OptionRule = { expected: 'a string', isValid: (value) => typeof value === 'string' };

/** An object, of which the message shows an example such as `{ functionName }`. */
export const objectLike = (example: string): OptionRule => ({
  expected: `an object such as ${example}`,
  isValid: (value) => typeof value === 'object' && value !== null,
});

/** An Observable of any copy of RxJS, known by its `subscribe`. */
export const observable: OptionRule = { expected: 'an Observable', isValid: (value) => hasMethod(value, 'subscribe') };

/** One of the words, or what the rule `other` accepts. */
export const oneOf = (words: readonly string[], other?: OptionRule): OptionRule => ({
  expected: [...words.map((word) => `'${word}'`), ...(other ? [other.expected] : [])].join(' or '),
  isValid: (value) => words.includes(value as string) || other?.isValid(value) === true,
});

/**
 * Checks the options of a call, each by its rule. Undefined stands for the default and passes.
 *
 * @param caller - The public function's name, for the message.
 * @throws TypeError for options that are not an object, and for a value of another type; RangeError for a number out of
 * its range. The message has the function's and the option's name.
 */
export function checkOptions(caller: string, options: unknown, rules: Readonly<Record<string, OptionRule>>): void {
  if (options === undefined) return;
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options);
  if (!isObject || '~standard' in options || hasMethod(options, 'subscribe')) {
    throw new TypeError(
      `${caller}: options must be an object such as { ${Object.keys(rules)[0]} }, not ${show(options)}`,
    );
  }
  for (const [name, rule] of Object.entries(rules)) {
    const value = (options as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined) checkValue(caller, name, value, rule);
  }
}

/** Checks one value. Undefined is checked too. @throws as {@link checkOptions} */
export function checkValue(caller: string, name: string, value: unknown, rule: OptionRule): void {
  if (rule.isValid(value)) return;
  const Refusal = rule.isNumber && typeof value === 'number' ? RangeError : TypeError;
  throw new Refusal(`${caller}: ${name} must be ${rule.expected}, not ${show(value)}`);
}

/** Does what {@link checkValue} does with the rule `callback`. A bundle without other rules is smaller by 63 bytes. */
export function checkFunction(caller: string, name: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`${caller}: ${name} must be a function, not ${show(value)}`);
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof (Object(value) as Record<string, unknown>)[name] === 'function';
}

/** Describes a refused value. Of an object only its kind is named, because its fields may be secret. */
export function show(value: unknown): string {
  if (typeof value === 'string') return value.length > 40 ? `a string of ${value.length} characters` : `'${value}'`;
  if (Object(value) !== value) return String(value);
  if (Array.isArray(value)) return 'an array';
  if ('~standard' in (value as object)) return 'a schema';
  if (hasMethod(value, 'subscribe')) return 'an Observable';
  if (hasMethod(value, 'then')) return 'a promise';
  return typeof value === 'function' ? 'a function' : 'an object';
}
