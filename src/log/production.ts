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
import type { LambdaStreamEvent } from '../events.js';
import { assertAttached } from '../shared/bytes.js';
import { createAudience, type AudienceHost } from './audience.js';
import { compareIds } from './entry-id.js';
import type { EntryId, LogEntry, LogRoster, LogState, SealRequest } from './invocation-log.js';
import { answerLimitMs } from './log-arguments.js';
import type { LogCalls } from './log-calls.js';
import { encodeEnding, type DecodedEntry, type Ending } from './log-records.js';
import { createLogWriter } from './log-writer.js';

/** The source is paused at this many unanswered bytes, and goes on at half of them. */
const maxUnansweredBytes = 1024 * 1024;

/** A source that does not pause fails at this many unanswered bytes. */
const maxWaitingBytes = 16 * 1024 * 1024;

/** Opens the invocation: the `open` of `joinInvocation`. */
export type OpenInvocation = (pauseWhile: Observable<boolean>) => Observable<LambdaStreamEvent>;

/** The run that a claim was granted for. */
export interface ProductionInit {
  readonly owner: string;
  readonly state: LogState;
  readonly open: OpenInvocation;
  readonly lingerMs: number;
  readonly maxReplayBytes: number;
  readonly attempt: number;
  /** Wraps the source of a take-over that must repeat the log's bytes. */
  readonly replayed?: (source: Observable<LambdaStreamEvent>) => Observable<LambdaStreamEvent>;
}

/** The parts of its process that a producer uses. */
export interface ProductionHost extends AudienceHost {
  readonly calls: LogCalls;
  /** Called when entries stand in the log. */
  deliver(entries: readonly LogEntry[]): void;
  /** Called when the log has told its state. */
  learn(state: LogState): void;
  /** Called when the log no longer has the key. */
  gone(): void;
  /** Called when the log has failed for good. */
  failed(error: unknown): void;
  /** Renews the lease now. The answer tells who is present. */
  renewNow(): void;
  /** Called when the production is over. */
  ended(): void;
}

/** The one process that reads the function's response and writes the log. */
export interface Production {
  readonly lease: { readonly owner: string; readonly generation: number };
  start(): void;
  /** Called before each renewal of the lease. Ends the run if the renewal is too late. */
  renewing(): void;
  /** Takes an entry that stands in the log, from any writer. */
  observe(entry: DecodedEntry): void;
  /** Called when the log has lost entries. */
  rewound(state: LogState): void;
  /** Takes the members that a renewal has told. */
  roster(roster: LogRoster): void;
  /** Called when readers of this process came, left, paused or resumed. */
  readersChanged(): void;
  /** Notes the place at which the last reader of this process has left. It may come back. */
  lastReaderLeft(cursor: EntryId): void;
  /** Called when readers of this process have read on. */
  readersMoved(): void;
  /** Closes the connection and stops the writing. */
  stop(): void;
  /** Ends the run as lost, because this process stops. */
  close(): Observable<unknown>;
}

export function createProduction(host: ProductionHost, init: ProductionInit): Production {
  const { calls } = host;
  const { owner, lingerMs } = init;
  const paused = new BehaviorSubject(false);
  let source: Subscription | undefined;
  let heldEnd: LambdaStreamEvent | undefined;
  let isOver = false;
  let renewedAt = asyncScheduler.now();
  /** Whether the source has ended or was given up. Its later events are ignored. */
  let isDone = false;

  const audience = createAudience(host, {
    lingerMs,
    leaseMs: init.state.leaseMs,
    abandon: () => void seal('nobody-present', { end: 'abandoned' }),
  });
  const writer = createLogWriter(
    {
      calls,
      floor: () => audience.floor(),
      deliver: (entries) => host.deliver(entries),
      ended: finish,
      refused,
      /** Tries to write an end after the log refused entries. Without memory an end may still have room. */
      failed(error) {
        if (isOver) return;
        finish();
        void seal('running', { end: 'failed', error });
      },
      /** Writes the end in place of the waiting events. */
      overflowed(error) {
        isDone = false;
        fail(error);
      },
      changed: updatePause,
    },
    init,
  );

  function closeSource(): void {
    source?.unsubscribe();
    audience.stopLingering();
  }

  function finish(): void {
    if (isOver) return;
    isOver = true;
    writer.stop();
    closeSource();
    host.ended();
  }

  function seal(condition: SealRequest['condition'], ending: Ending): Observable<unknown> {
    const record = encodeEnding(ending);
    const { generation } = writer;
    const answer = calls.seal({ generation, owner, condition, end: ending.end, record });
    answer.subscribe({
      next: ({ state }) => (state ? host.learn(state) : host.gone()),
      error: (error: unknown) => host.failed(error),
    });
    return answer;
  }

  function fail(error: unknown): void {
    if (isOver || isDone) return;
    isDone = true;
    closeSource();
    writer.end({ end: 'failed', error });
    writer.flush();
  }

  function take(event: LambdaStreamEvent): void {
    if (isOver || isDone) return;
    try {
      if (heldEnd) writer.push(heldEnd);
      heldEnd = undefined;
      if (event.type === 'complete') heldEnd = event;
      else {
        if (event.type === 'chunk' || event.type === 'unknown') assertAttached(event.payload);
        writer.push(event);
      }
      if (writer.waitingBytes > maxWaitingBytes) {
        throw new LogUnavailableError('it takes less than the response brings, which does not pause', {
          key: calls.key,
        });
      }
    } catch (error) {
      fail(error);
      return;
    }
    writer.flush();
  }

  function complete(): void {
    if (isOver || isDone) return;
    isDone = true;
    writer.end(heldEnd ? { end: 'complete', event: heldEnd } : { end: 'complete' });
    writer.flush();
  }

  function refused(state: LogState | undefined): void {
    finish();
    if (state === undefined) {
      host.gone();
      return;
    }
    // The log has lost entries that it had acknowledged. Nothing may be written after this hole.
    const hasLost = state.status === 'running' && state.owner === owner && state.generation === writer.generation;
    if (hasLost) void seal('running', { end: 'lost', reason: 'log' });
    else host.learn(state);
  }

  function updatePause(): void {
    const bytes = writer.waitingBytes;
    const isFull = bytes >= maxUnansweredBytes || (paused.value && bytes > maxUnansweredBytes / 2);
    const next = !isOver && (isFull || writer.isHeld || audience.hasPaused);
    if (next !== paused.value) paused.next(next);
  }

  return {
    get lease() {
      return { owner, generation: writer.generation };
    },
    start() {
      // Emits the present value, because ending the pause can bring events that begin it again.
      const pauseWhile = paused.pipe(
        map(() => paused.value),
        distinctUntilChanged(),
      );
      const opened = defer(() => init.open(pauseWhile));
      const subscription = (init.replayed?.(opened) ?? opened).subscribe({ next: take, error: fail, complete });
      source = subscription;
      if (isOver || isDone) subscription.unsubscribe();
    },
    observe({ kind, entry }) {
      // Any end entry ends the run. The end of an earlier run may arrive late, and does not count.
      if (kind === 'end' && compareIds(entry.id, init.state.last) > 0) finish();
    },
    renewing() {
      // A late answer has a limit of its own. So this process itself has stood still.
      if (asyncScheduler.now() - renewedAt < answerLimitMs(init.state.leaseMs)) return;
      void seal('running', { end: 'lost', reason: 'lease' });
      finish();
    },
    rewound(state) {
      if (!isOver && compareIds(state.last, writer.last) < 0) refused(state);
    },
    roster({ state, present }) {
      if (isOver) return;
      if (state.status !== 'running' || state.owner !== owner) {
        finish();
        return;
      }
      renewedAt = asyncScheduler.now();
      audience.learn(present);
      audience.look(writer.last);
      writer.flush();
    },
    readersChanged() {
      if (isOver) return;
      audience.look(writer.last);
      if (!host.hasReaders()) host.renewNow();
      writer.flush();
    },
    lastReaderLeft: (cursor) => audience.left(cursor),
    readersMoved() {
      if (writer.isHeld && !isOver) writer.flush();
    },
    stop: finish,
    close() {
      const sealing = seal('running', { end: 'lost', reason: 'closed' });
      finish();
      return sealing;
    },
  };
}
