import type { StandardSchemaV1 } from '@standard-schema/spec';
import { InvalidRecordError } from '../errors.js';
import type { LinePosition } from './line-positions.js';
import type { RecordOptions } from './record-options.js';

/** The answer of an asynchronous schema. */
export type PendingResult<T> = PromiseLike<StandardSchemaV1.Result<T>>;

/**
 * Parses a text and validates it. Returns a promise for {@link Settle} where the schema is asynchronous. Otherwise the
 * value was emitted, or `onInvalid` was obeyed, when this returns.
 *
 * @param place - Where the record begins: by default the present position.
 */
export type Judge<T> = (text: string, emit: (value: T) => void, place?: LinePosition) => PendingResult<T> | undefined;

/** Takes the schema's answer: emits the value, or does what `onInvalid` says. */
export type Settle<T> = (
  result: StandardSchemaV1.Result<T>,
  text: string,
  emit: (value: T) => void,
  place?: LinePosition,
) => void;

/**
 * Makes the judge of one text at a time.
 *
 * @param position - Finds where the present record begins. It is called only for an invalid record.
 */
export function createRecordJudge<T>(
  { schema, onInvalid = 'error' }: RecordOptions<T>,
  position: () => LinePosition,
): [judge: Judge<T>, settle: Settle<T>] {
  const refuse = (reason: string, cause: unknown, text: string, place: LinePosition | undefined): void => {
    if (onInvalid === 'skip') return;
    const error = new InvalidRecordError(reason, { ...(place ?? position()), text, cause });
    if (onInvalid === 'error') throw error;
    onInvalid(error);
  };

  const settle: Settle<T> = (result, text, emit, place) => {
    if (!result.issues) {
      emit(result.value);
      return;
    }
    // The message leaves out the issues' own messages: some libraries quote the payload in them, at any length.
    const path = result.issues[0]?.path?.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    refuse(`refused by the schema${path ? ` at ${path.slice(0, 200)}` : ''}`, result.issues, text, place);
  };

  const judge: Judge<T> = (text, emit, place) => {
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

  return [judge, settle];
}
