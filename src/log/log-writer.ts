import type { Observable } from 'rxjs';
import type { LambdaStreamEvent, RetryEvent } from '../events.js';
import { createAppendQueue, type Batch } from './append-queue.js';
import { compareIds, openingIdOf } from './entry-id.js';
import type { AppendAnswer, EntryId, LogEntry, LogState } from './invocation-log.js';
import type { LogCalls } from './log-calls.js';
import { encodeOpening, type Ending } from './log-records.js';
import { createReplayWindow } from './replay-window.js';

/** The run that a writer writes. */
export interface LogWriterInit {
  readonly owner: string;
  readonly state: LogState;
  readonly maxReplayBytes: number;
  readonly attempt: number;
}

/** The callbacks of a writer to its producer. */
export interface LogWriterHost {
  readonly calls: LogCalls;
  /** Returns up to where all awaited readers have read. Undefined if no reader is awaited. */
  floor(): EntryId | undefined;
  /** Called when entries stand in the log. */
  deliver(entries: readonly LogEntry[]): void;
  /** Called when the end stands in the log. */
  ended(): void;
  /** Called when the log has another owner, generation, status or newest entry, or no such key. Nothing was written. */
  refused(state: LogState | undefined): void;
  /** Called when the call has failed for good. */
  failed(error: unknown): void;
  /** Called when the waiting events had no more ids at their place, and were dropped. */
  overflowed(error: unknown): void;
  /** Called when the number of waiting bytes has changed. */
  changed(): void;
}

/** Writes one run into the log, in order, one call at a time. Later events wait for the next call. */
export interface LogWriter {
  readonly generation: number;
  /** The newest entry of this run that stands in the log. */
  readonly last: EntryId;
  /** The bytes that the log has not acknowledged. */
  readonly waitingBytes: number;
  /** Whether the next entries would drop entries that a reader still needs. */
  readonly isHeld: boolean;
  /** Takes an event in, to be written by the next `flush`. @throws ResponseTooLargeError */
  push(event: LambdaStreamEvent): void;
  end(ending: Ending & { readonly end: 'complete' | 'failed' }): void;
  /** Writes the events that can be written now. */
  flush(): void;
  /** Stops the writing. */
  stop(): void;
}

export function createLogWriter(host: LogWriterHost, init: LogWriterInit): LogWriter {
  const { calls } = host;
  const { owner, maxReplayBytes } = init;
  const queue = createAppendQueue();
  let { generation, last } = init.state;
  let window = createReplayWindow(maxReplayBytes, last);
  let unanswered = 0;
  let inFlight = false;
  let flushing = false;
  let isHeld = false;
  let isStopped = false;

  /** Returns the most entries that fit without dropping entries that a reader still needs. */
  function nextBatch(): Batch | undefined {
    for (let count = Infinity; count >= 1;) {
      const batch = queue.peek(last, count);
      const { length } = batch.entries;
      if (length === 0) return undefined;
      const trim = trimOf(batch);
      const slowest = trim === undefined ? undefined : host.floor();
      const overtakes = trim !== undefined && slowest !== undefined && compareIds(trim, slowest) > 0;
      if (!overtakes && (length === 1 || trim === undefined || compareIds(trim, last) <= 0)) return batch;
      if (length === 1) return undefined;
      count = Math.floor(length / 2);
    }
    return undefined;
  }

  function trimOf({ entries, bytes }: Batch): EntryId | undefined {
    const trim = window.trimFor(entries.length, bytes);
    return trim !== undefined && entries.length === 1 && compareIds(trim, last) > 0 ? last : trim;
  }

  function flush(): void {
    if (flushing) return;
    flushing = true;
    let failure: { error: unknown } | undefined;
    try {
      while (!inFlight && !isStopped && !queue.isEmpty) {
        const { restart } = queue;
        if (restart) {
          queue.shift();
          writeRestart(restart);
          continue;
        }
        const batch = nextBatch();
        isHeld = batch === undefined && !queue.isEmpty;
        if (batch === undefined) break;
        queue.shift(batch);
        write(batch);
      }
    } catch (error) {
      queue.clear();
      failure = { error };
    }
    flushing = false;
    if (failure) host.overflowed(failure.error);
    host.changed();
  }

  function write(batch: Batch): void {
    const { entries, bytes, head, end } = batch;
    const trim = trimOf(batch);
    send(
      calls.append({
        owner,
        generation,
        entries,
        ...(head !== undefined && { head }),
        ...(end !== undefined && { end }),
        ...(trim !== undefined && { trim }),
      }),
      bytes,
      () => {
        for (const { id, record, payload } of entries) window.add(id, record.length + payload.length);
        if (trim !== undefined) window.drop(trim);
        last = entries.at(-1)?.id ?? last;
        host.deliver(entries);
        if (end !== undefined) host.ended();
      },
    );
  }

  function writeRestart(retry: RetryEvent): void {
    const opening = encodeOpening({ maxReplayBytes, attempt: init.attempt, retry });
    send(calls.restart({ owner, generation, previous: last, opening }), 0, ({ state }) => {
      const previous = last;
      generation = state?.generation ?? generation;
      last = openingIdOf(generation);
      window = createReplayWindow(maxReplayBytes, last);
      host.deliver([{ id: last, previous, record: opening, payload: new Uint8Array(0) }]);
    });
  }

  function send(answer: Observable<AppendAnswer>, bytes: number, done: (answer: AppendAnswer) => void): void {
    inFlight = true;
    unanswered += bytes;
    answer.subscribe({
      next(result) {
        inFlight = false;
        unanswered -= bytes;
        if (isStopped) return;
        if (result.result === 'refused') host.refused(result.state);
        else done(result);
        flush();
      },
      error: (error: unknown) => host.failed(error),
    });
  }

  return {
    get generation() {
      return generation;
    },
    get last() {
      return last;
    },
    get waitingBytes() {
      return queue.bytes + unanswered;
    },
    get isHeld() {
      return isHeld;
    },
    push: (event) => queue.push(event),
    end: (ending) => queue.end(ending),
    flush,
    stop() {
      isStopped = true;
      queue.clear();
    },
  };
}
