import {
  Subject,
  delayWhen,
  dematerialize,
  materialize,
  of,
  type MonoTypeOperatorFunction,
  type Subscriber,
} from 'rxjs';
import { ResponseTooLargeError } from '../errors.js';
import type { LinePosition } from './line-positions.js';
import { createRecordJudge, type PendingResult } from './record-judge.js';
import type { RecordOptions } from './record-options.js';

/** Parses and validates records, and emits their values in order. */
export interface RecordParser<T> {
  readonly parse: (text: string, emit: (value: T) => void) => void;
  /** Drops the records whose values are not emitted yet, and returns where the first of them begins. */
  readonly clear: () => LinePosition | undefined;
  /** Holds a source's end back until no record waits. */
  readonly holdEnd: MonoTypeOperatorFunction<never>;
}

interface WaitingRecord<T> extends LinePosition {
  readonly text: string;
  readonly emit: (value: T) => void;
  /** The record behind this one. */
  next?: WaitingRecord<T> | undefined;
}

/**
 * Judges each record at once. While an asynchronous schema validates a record, the records after it wait in a queue.
 *
 * @param position - Finds where the record begins that is being parsed. It is called only where the place is needed.
 */
export function createRecordParser<T>(
  options: RecordOptions<T>,
  subscriber: Subscriber<unknown>,
  position: () => LinePosition,
): RecordParser<T> {
  const { maxPendingBytes = 16_777_216 } = options;
  const [judge, settle] = createRecordJudge(options, position);
  const drained = new Subject<void>();
  // The record that the schema validates, and the last record in the queue. The records are linked, because a million
  // of them may wait.
  let first: WaitingRecord<T> | undefined;
  let last: WaitingRecord<T> | undefined;

  const work = async (promise: PendingResult<T> | undefined): Promise<void> => {
    for (let record = first; record; record = first) {
      const { text, emit } = record;
      try {
        promise ??= judge(text, emit, record);
        const result = await promise;
        promise = undefined;
        if (result && record === first) settle(result, text, emit, record);
      } catch (error) {
        if (record === first) subscriber.error(error);
      }
      // A retry or the end of the subscription has cleared the queue meanwhile.
      if (record !== first) return;
      first = record.next;
    }
    last = undefined;
    drained.next();
  };

  const clear = (): LinePosition | undefined => {
    const voided = first;
    // A promise that never settles keeps its own record alive, but not the records behind it.
    if (voided) voided.next = undefined;
    first = last = undefined;
    return voided;
  };

  subscriber.add(clear);

  return {
    parse(text, emit) {
      let promise: PendingResult<T> | undefined;
      if (!first) {
        promise = judge(text, emit);
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
