import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { InvalidRecordError } from '../errors.js';
import { callback, checkOptions, checkValue, limitFrom, oneOf, type OptionRule } from '../shared/check-options.js';

/** Options of the operators that read records of JSON. */
export interface RecordOptions<T> {
  /**
   * Checks each record and makes the value that is emitted: any Standard Schema (zod, valibot, arktype), synchronous or
   * asynchronous. A record that the schema refuses is invalid, and so is a record that is not JSON. The error's `cause`
   * holds the schema's issues. Records are validated one at a time, in order. With a synchronous schema nothing waits.
   */
  readonly schema?: StandardSchemaV1<unknown, T>;
  /**
   * What happens to an invalid record. `'error'` ends the stream with an `InvalidRecordError`, and `'skip'` leaves the
   * record out. A callback gets the error, and the stream goes on. What the callback throws ends the stream.
   *
   * @defaultValue `'error'`
   */
  readonly onInvalid?: 'error' | 'skip' | ((error: InvalidRecordError) => void);
  /**
   * How much of the payload may wait while an asynchronous schema validates a record, in bytes from the start of the
   * first unfinished record to the start of the last one. Past the limit the stream ends with a
   * `ResponseTooLargeError`. `Infinity` sets no limit.
   *
   * @defaultValue `16_777_216` (16 MiB)
   */
  readonly maxPendingBytes?: number;
}

const standardSchema: OptionRule = {
  expected: 'a Standard Schema (zod, valibot, arktype)',
  isValid: (value) => typeof (Object(value) as Partial<StandardSchemaV1>)['~standard']?.validate === 'function',
};

/**
 * Checks {@link RecordOptions} and the operator's other options.
 *
 * @throws as `checkOptions`.
 */
export function checkRecordOptions(caller: string, options: object, rules: Readonly<Record<string, OptionRule>>): void {
  checkOptions(caller, options, {
    ...{ schema: standardSchema, onInvalid: oneOf(['error', 'skip'], callback), maxPendingBytes: limitFrom(1) },
    ...rules,
  });
  // A schema that is undefined by mistake would validate nothing.
  if ('schema' in options) checkValue(caller, 'schema', options.schema, standardSchema);
}
