import type { StandardSchemaV1 } from '@standard-schema/spec';
import {
  Subject,
  delayWhen,
  dematerialize,
  materialize,
  of,
  type MonoTypeOperatorFunction,
  type Subscriber,
} from 'rxjs';
import { InvalidRecordError, ResponseTooLargeError } from '../errors.js';
import { callback, checkOptions, checkValue, limitFrom, oneOf, type OptionRule } from '../shared/check-options.js';
import type { LinePosition } from './line-decoder.js';

/** Options of the operators that read records of JSON. */
export interface RecordOptions<T> {
  /**
   * Checks each record, and makes of it what is emitted: any Standard Schema (zod, valibot, arktype), synchronous or
   * not. A record that it refuses is an invalid one, as is one that is no JSON; the error's `cause` holds its issues.
   * Records are validated one at a time, in order; with a synchronous schema all stays synchronous.
   */
  readonly schema?: StandardSchemaV1<unknown, T>;
  /**
   * What an invalid record does: `'error'` ends the stream with an `InvalidRecordError`, `'skip'` leaves it out, a
   * callback is told the error and the stream goes on. What the callback throws ends the stream.
   *
   * @defaultValue `'error'`
   */
  readonly onInvalid?: 'error' | 'skip' | ((error: InvalidRecordError) => void);
  /**
   * While an asynchronous schema is at work on a record, those that follow wait. So much of the payload may wait, in
   * bytes from the start of the first unfinished record to the start of the last; past it, a `ResponseTooLargeError`.
   * `Infinity` sets no limit.
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
 * Checks {@link RecordOptions}, and what else an operator has.
 *
 * @throws as `checkOptions`.
 */
export function checkRecordOptions(caller: string, options: object, rules: Readonly<Record<string, OptionRule>>): void {
  checkOptions(caller, options, {
    ...{ schema: standardSchema, onInvalid: oneOf(['error', 'skip'], callback), maxPendingBytes: limitFrom(1) },
    ...rules,
  });
  // An undefined schema would mean that nothing is validated, without a word.
  if ('schema' in options) checkValue(caller, 'schema', options.schema, standardSchema);
}

/** Parses and validates records, and has their values emitted in order. */
export interface RecordParser<T> {
  readonly parse: (text: string, emit: (value: T) => void) => void;
  /** Voids what is not emitted yet, and tells where that begins. */
  readonly clear: () => LinePosition | undefined;
  readonly holdEnd: MonoTypeOperatorFunction<never>;
}

interface WaitingRecord<T> extends LinePosition {
  readonly text: string;
  readonly emit: (value: T) => void;
  /** The one behind it. */
  next?: WaitingRecord<T> | undefined;
}

/** @param position - Finds out where the record that is being parsed begins; asked only where that is needed. */
export function createRecordParser<T>(
  { schema, onInvalid = 'error', maxPendingBytes = 16_777_216 }: RecordOptions<T>,
  subscriber: Subscriber<unknown>,
  position: () => LinePosition,
): RecordParser<T> {
  const drained = new Subject<void>();
  // The record that the schema is at work on, and the last of those behind it: linked, since a million may wait.
  let first: WaitingRecord<T> | undefined;
  let last: WaitingRecord<T> | undefined;

  const refuse = (reason: string, cause: unknown, text: string, place: LinePosition | undefined): void => {
    if (onInvalid === 'skip') return;
    const error = new InvalidRecordError(reason, { ...(place ?? position()), text, cause });
    if (onInvalid === 'error') throw error;
    onInvalid(error);
  };

  const settle = (
    result: StandardSchemaV1.Result<T>,
    text: string,
    emit: (value: T) => void,
    place?: LinePosition,
  ): void => {
    if (!result.issues) {
      emit(result.value);
      return;
    }
    // The issues' own messages stay out of ours: some libraries quote the payload in them, at any length.
    const path = result.issues[0]?.path?.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    refuse(`refused by the schema${path ? ` at ${path.slice(0, 200)}` : ''}`, result.issues, text, place);
  };

  /** Returns a promise where the schema is asynchronous; all else is done by then. */
  const check = (
    text: string,
    emit: (value: T) => void,
    place?: LinePosition,
  ): PromiseLike<StandardSchemaV1.Result<T>> | undefined => {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      refuse('not valid JSON', cause, text, place);
      return;
    }
    if (!schema) {
      emit(value as T);
      return;
    }
    const result = schema['~standard'].validate(value);
    if ('then' in result) return result;
    settle(result, text, emit, place);
    return;
  };

  const work = async (promise: PromiseLike<StandardSchemaV1.Result<T>> | undefined): Promise<void> => {
    for (let record = first; record; record = first) {
      const { text, emit } = record;
      try {
        promise ??= check(text, emit, record);
        const result = await promise;
        promise = undefined;
        if (result && record === first) settle(result, text, emit, record);
      } catch (error) {
        if (record === first) subscriber.error(error);
      }
      // A retry or the end of the subscription has voided it meanwhile, with all that waited.
      if (record !== first) return;
      first = record.next;
    }
    last = undefined;
    drained.next();
  };

  const clear = (): LinePosition | undefined => {
    const voided = first;
    // A promise that never settles keeps its own record alive, but not those behind it.
    if (voided) voided.next = undefined;
    first = last = undefined;
    return voided;
  };

  subscriber.add(clear);

  return {
    parse(text, emit) {
      let promise: PromiseLike<StandardSchemaV1.Result<T>> | undefined;
      if (!first) {
        promise = check(text, emit);
        if (!promise) return;
      }
      const { line, offset } = position();
      const record = { text, emit, line, offset };
      if (last) last.next = record;
      last = record;
      first ??= record;
      if (promise) void work(promise);
      if (offset - first.offset > maxPendingBytes) {
        const what = 'The records that wait for their schema pass maxPendingBytes';
        subscriber.error(new ResponseTooLargeError(what, { maxBytes: maxPendingBytes }));
      }
    },
    clear,
    holdEnd: (end) =>
      end.pipe(
        materialize(),
        delayWhen(() => (first ? drained : of(0))),
        dematerialize(),
      ),
  };
}
