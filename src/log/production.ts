import {
  asyncScheduler,
  BehaviorSubject,
  defer,
  distinctUntilChanged,
  map,
  type Observable,
  type Subscription,
} from 'rxjs';
import { LogUnavailableError } from '../errors.js';
import type { LambdaStreamEvent, RetryEvent } from '../events.js';
import { assertAttached } from '../shared/bytes.js';
import { createAppendQueue, type Batch } from './append-queue.js';
import { compareIds, openingIdOf } from './entry-id.js';
import type { AppendAnswer, EntryId, LogEntry, LogRoster, LogState, SealRequest } from './invocation-log.js';
import { answerLimitMs } from './log-arguments.js';
import { encodeEnding, encodeOpening, type DecodedEntry, type Ending } from './log-records.js';
import type { LogCalls } from './log-calls.js';
import { createReplayWindow } from './replay-window.js';
import { createReaderPace } from './reader-pace.js';

/** Unanswered bytes at which the source is paused, and at half of which it goes on. */
const maxUnansweredBytes = 1024 * 1024;

/** Unanswered bytes at which a source that does not pause fails. */
const maxWaitingBytes = 16 * 1024 * 1024;

/** Opens the invocation. From the caller of `joinInvocation`. */
export type OpenInvocation = (pauseWhile: Observable<boolean>) => Observable<LambdaStreamEvent>;

/** What a claim was granted for. */
export interface ProductionInit {
  readonly owner: string;
  readonly state: LogState;
  readonly open: OpenInvocation;
  readonly lingerMs: number;
  readonly maxReplayBytes: number;
  readonly attempt: number;
  /** Wraps the source of a take-over that has to bring the log's bytes again. */
  readonly replayed?: (source: Observable<LambdaStreamEvent>) => Observable<LambdaStreamEvent>;
}

/** What a producer needs of its process. */
export interface ProductionHost {
  readonly calls: LogCalls;
  readonly member: string;
  /** Where the slowest reader of this process is, of those that move; undefined where there are none. */
  slowest(): EntryId | undefined;
  /** Whether readers of this process are there. */
  hasReaders(): boolean;
  /** Whether all readers of this process have paused. */
  allPaused(): boolean;
  /** Entries stand in the log. */
  deliver(entries: readonly LogEntry[]): void;
  /** The log has told its state. */
  learn(state: LogState): void;
  /** The log does not have the key any more. */
  gone(): void;
  /** The log has failed for good. */
  failed(error: unknown): void;
  /** Renews the lease now, which tells who is present. */
  renewNow(): void;
  /** The production is over. */
  ended(): void;
}

/** The one process that reads the function's response and writes the log. */
export interface Production {
  readonly lease: { readonly owner: string; readonly generation: number };
  start(): void;
  /** The lease is about to be renewed. Ends the run where that is too late. */
  renewing(): void;
  /** An entry stands in the log, whoever wrote it. */
  observe(entry: DecodedEntry): void;
  /** The log lacks entries that it had. */
  rewound(state: LogState): void;
  /** The roster of a renewal. */
  roster(roster: LogRoster): void;
  /** Readers of this process came, left, paused or resumed. */
  readersChanged(): void;
  /** The last reader of this process has left, at this place. It may come back. */
  lastReaderLeft(cursor: EntryId): void;
  /** Readers of this process have read on. */
  readersMoved(): void;
  /** Closes the connection; nothing more is written. */
  stop(): void;
  /** Ends the run as lost, since this process goes. */
  close(): Observable<unknown>;
}

export function createProduction(host: ProductionHost, init: ProductionInit): Production {
  const { calls } = host;
  const { owner, maxReplayBytes, lingerMs } = init;
  const queue = createAppendQueue();
  const pace = createReaderPace(init.state.leaseMs);
  const paused = new BehaviorSubject(false);
  let { generation, last } = init.state;
  let window = createReplayWindow(maxReplayBytes, last);
  let source: Subscription | undefined;
  let heldEnd: LambdaStreamEvent | undefined;
  let unanswered = 0;
  let inFlight = false;
  let flushing = false;
  let isHeld = false;
  let isOver = false;
  /** Whether the source has ended, or was given up: what it still brings counts no more. */
  let isDone = false;
  let linger: Subscription | undefined;
  let others: LogRoster['present'] = [];
  let renewedAt = asyncScheduler.now();

  function closeSource(): void {
    source?.unsubscribe();
    linger?.unsubscribe();
    linger = undefined;
  }

  function finish(): void {
    if (isOver) return;
    isOver = true;
    queue.clear();
    closeSource();
    host.ended();
  }

  function seal(condition: SealRequest['condition'], ending: Ending): Observable<unknown> {
    const record = encodeEnding(ending);
    const answer = calls.seal({ generation, owner, condition, end: ending.end, record });
    answer.subscribe({
      next: ({ state }) => (state ? host.learn(state) : host.gone()),
      error: (error: unknown) => host.failed(error),
    });
    return answer;
  }

  /** The log refuses to be written to: the end may still have room, where memory has none. */
  function refuse(error: unknown): void {
    if (isOver) return;
    finish();
    void seal('running', { end: 'failed', error });
  }

  function fail(error: unknown): void {
    if (isOver || isDone) return;
    isDone = true;
    closeSource();
    queue.end({ end: 'failed', error });
    flush();
  }

  function take(event: LambdaStreamEvent): void {
    if (isOver || isDone) return;
    try {
      if (heldEnd) queue.push(heldEnd);
      heldEnd = undefined;
      if (event.type === 'complete') heldEnd = event;
      else {
        if (event.type === 'chunk' || event.type === 'unknown') assertAttached(event.payload);
        queue.push(event);
      }
      if (queue.bytes + unanswered > maxWaitingBytes) {
        throw new LogUnavailableError('it takes less than the response brings, which does not pause', {
          key: calls.key,
        });
      }
    } catch (error) {
      fail(error);
      return;
    }
    flush();
  }

  /** Up to where everybody has read who is waited for; undefined where nobody is. */
  const floor = (): EntryId | undefined => pace.floor(host.slowest(), others);

  function nextBatch(): Batch | undefined {
    for (let count = Infinity; count >= 1;) {
      const batch = queue.peek(last, count);
      const { length } = batch.entries;
      if (length === 0) return undefined;
      const trim = trimOf(batch);
      const slowest = trim === undefined ? undefined : floor();
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
      while (!inFlight && !isOver && !queue.isEmpty) {
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
      // What waits cannot be numbered any further: the end takes its place.
      queue.clear();
      isDone = false;
      failure = { error };
    }
    flushing = false;
    if (failure) fail(failure.error);
    updatePause();
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
        if (end !== undefined) finish();
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
        if (isOver) return;
        if (result.result === 'refused') refused(result.state);
        else done(result);
        flush();
      },
      error: refuse,
    });
  }

  function refused(state: LogState | undefined): void {
    finish();
    if (state === undefined) {
      host.gone();
      return;
    }
    // Entries that the log has acknowledged are not there any more: nothing is written past the hole.
    const hasLost = state.status === 'running' && state.owner === owner && state.generation === generation;
    if (hasLost) void seal('running', { end: 'lost', reason: 'log' });
    else host.learn(state);
  }

  function updatePause(): void {
    const bytes = queue.bytes + unanswered;
    const isFull = bytes >= maxUnansweredBytes || (paused.value && bytes > maxUnansweredBytes / 2);
    const isUnwanted = host.allPaused() && others.length === 0;
    const next = !isOver && (isFull || isHeld || isUnwanted);
    if (next !== paused.value) paused.next(next);
  }

  function watchPresence(): void {
    if (isOver) return;
    if (host.hasReaders() || others.length > 0) {
      linger?.unsubscribe();
      linger = undefined;
    } else if (!linger) {
      linger = asyncScheduler.schedule(() => {
        linger = undefined;
        void seal('nobody-present', { end: 'abandoned' });
      }, lingerMs);
    }
  }

  return {
    get lease() {
      return { owner, generation };
    },
    start() {
      // The present value: ending the pause can bring events that begin it again.
      const pauseWhile = paused.pipe(
        map(() => paused.value),
        distinctUntilChanged(),
      );
      const opened = defer(() => init.open(pauseWhile));
      const subscription = (init.replayed?.(opened) ?? opened).subscribe({
        next: take,
        error: fail,
        complete: () => {
          if (isOver || isDone) return;
          isDone = true;
          queue.end(heldEnd ? { end: 'complete', event: heldEnd } : { end: 'complete' });
          flush();
        },
      });
      source = subscription;
      if (isOver || isDone) subscription.unsubscribe();
    },
    observe({ kind, entry }) {
      // The run is over, whoever has ended it. An end before the claim may be told late.
      if (kind === 'end' && compareIds(entry.id, init.state.last) > 0) finish();
    },
    renewing() {
      // Waiting for an answer has a limit of its own: this process has stood still.
      if (asyncScheduler.now() - renewedAt < answerLimitMs(init.state.leaseMs)) return;
      void seal('running', { end: 'lost', reason: 'lease' });
      finish();
    },
    rewound(state) {
      if (!isOver && compareIds(state.last, last) < 0) refused(state);
    },
    roster({ state, present }) {
      if (isOver) return;
      if (state.status !== 'running' || state.owner !== owner) {
        finish();
        return;
      }
      renewedAt = asyncScheduler.now();
      others = present.filter(({ member }) => member !== host.member);
      pace.see(last, host.slowest(), others, host.allPaused() && others.length === 0);
      watchPresence();
      flush();
    },
    readersChanged() {
      if (isOver) return;
      pace.see(last, host.slowest(), others, host.allPaused() && others.length === 0);
      if (!host.hasReaders()) host.renewNow();
      watchPresence();
      flush();
    },
    lastReaderLeft: (cursor) => pace.left(cursor),
    readersMoved() {
      if (isHeld && !isOver) flush();
    },
    stop: finish,
    close() {
      const sealing = seal('running', { end: 'lost', reason: 'closed' });
      finish();
      return sealing;
    },
  };
}
