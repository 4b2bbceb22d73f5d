import { filter, map, of, switchMap, type Observable } from 'rxjs';
import { InvocationStoppedError, ReplayLimitError, UnknownInvocationError } from '../errors.js';
import { compareIds, entryIdOf, openingIdOf, placeOf, positionOf, type Place } from './entry-id.js';
import type { EntryId, JoinAnswer, LogClaim, LogState } from './invocation-log.js';
import type { LogCalls } from './log-calls.js';
import { decodeEvent, decodeOpening, type PositionedEvent } from './log-records.js';
import type { ReaderOutlet } from './reader-outlet.js';
import { produceAs } from './take-over.js';

/** The place where a reader begins. */
export interface ReaderStart {
  /** The entry, or the byte, that counts as passed on. */
  readonly cursor: EntryId;
  /** Whether the cursor is an entry, and not a byte position that a consumer gave. */
  readonly isEntry: boolean;
  /** The newest entry at the time when the reader came. Older entries are not news to it. */
  readonly history?: EntryId;
  /** The events that the reader gets first. */
  readonly events: readonly PositionedEvent[];
}

/** The result of a reader's join. */
export interface Entrance {
  readonly answer: JoinAnswer;
  readonly start: ReaderStart;
}

/**
 * Joins a key, and finds the place to begin at. Errors with UnknownInvocationError for a key or position that the log
 * does not know, with ReplayLimitError or InvocationStoppedError where it does not hold what comes after the position.
 */
export function enter(
  outlet: ReaderOutlet,
  after: Place | 'now' | undefined,
  claim: LogClaim | undefined,
): Observable<Entrance> {
  const { room } = outlet;
  const { calls } = room;
  return room.join('0-0', claim).pipe(
    filter((answer) => {
      const { producer } = outlet.options;
      // Nobody else can produce what was granted here, also where its consumer has left meanwhile.
      if (outlet.isClosed && producer && claim && answer) produceAs(outlet, producer, claim, { answer, attempt: 1 });
      return !outlet.isClosed;
    }),
    switchMap((answer) => {
      if (answer === undefined) throw unknownAt(calls.key, after);
      return findStart(calls, answer.state, after).pipe(map((start) => ({ answer, start })));
    }),
    filter(() => !outlet.isClosed),
  );
}

function findStart(calls: LogCalls, state: LogState, after: Place | 'now' | undefined): Observable<ReaderStart> {
  const { key } = calls;
  if (after === undefined || after === 'now') return of(startOf(key, state, after));
  return wasGiven(calls, state, after).pipe(
    map((isGiven) => {
      if (!isGiven) throw unknownAt(key, after);
      return startOf(key, state, after);
    }),
  );
}

function unknownAt(key: string, after: Place | 'now' | undefined): UnknownInvocationError {
  const position = after === undefined || after === 'now' ? undefined : positionOf(after);
  return new UnknownInvocationError({ key, ...(position !== undefined && { position }) });
}

/**
 * Tells whether the log has given a position of the present generation or of an earlier one. A position comes from
 * strangers, and their own generation would let them read what somebody else was given.
 */
function wasGiven(calls: LogCalls, { generation, last, trimmed }: LogState, after: Place): Observable<boolean> {
  if (after.generation > generation) return of(false);
  if (after.generation === generation) return of(after.bytes <= placeOf(last).bytes);
  // The opening entry of the next generation holds the id of the last entry before it.
  return calls.read({ after: `${after.generation}-${Number.MAX_SAFE_INTEGER}`, maxBytes: 1 }).pipe(
    map((page) => {
      const first = page?.entries[0];
      if (first === undefined) return false;
      const before = placeOf(first.previous);
      if (before.generation === after.generation) return after.bytes <= before.bytes;
      // The entries in between were dropped, so that nothing contradicts the position. The reader lacks its start.
      return before.generation > after.generation && trimmed !== undefined;
    }),
  );
}

/** @throws ReplayLimitError, InvocationStoppedError, and ProtocolError for a log of a later version. */
function startOf(key: string, state: LogState, after: Place | 'now' | undefined): ReaderStart {
  const { generation, last, trimmed, status } = state;
  decodeOpening(state.opening);
  const opening = openingIdOf(generation);
  const isWhole = trimmed === undefined || compareIds(trimmed, opening) <= 0;
  // For an invocation that is over, only the end is still to come.
  if (after === 'now') {
    return withHead(state, { cursor: status === 'running' ? last : entryBefore(last), isEntry: false, events: [] });
  }
  if (after === undefined) {
    if (!isWhole) throw lacks(key, state);
    return { cursor: opening, isEntry: true, history: last, events: [] };
  }
  if (after.generation < generation) {
    if (!isWhole) throw lacks(key, state);
    return { cursor: opening, isEntry: true, events: [restarted(key, after, opening)] };
  }
  const isHeld =
    trimmed === undefined || placeOf(trimmed).generation < generation || placeOf(trimmed).bytes <= after.bytes;
  if (!isHeld) throw lacks(key, state);
  return withHead(state, { cursor: entryIdOf(after), isEntry: false, events: [] });
}

/** Adds the head for a reader that comes back, because the head's entry may have been dropped. */
function withHead({ head, generation }: LogState, start: ReaderStart): ReaderStart {
  const { bytes } = placeOf(start.cursor);
  const event = head === undefined || bytes === 0 ? undefined : decodeEvent(head);
  if (event === undefined) return start;
  return { ...start, events: [{ ...event, position: positionOf({ generation, bytes, slot: 0 }) }] };
}

function lacks(key: string, { status, opening }: LogState): Error {
  return status === 'stopped'
    ? new InvocationStoppedError({ key })
    : new ReplayLimitError({ maxReplayBytes: decodeOpening(opening).maxReplayBytes });
}

/** Makes a retry event: the response that this reader had begun is void, and another one replaces it. */
function restarted(key: string, had: Place, opening: EntryId): PositionedEvent {
  const position = positionOf(had);
  return {
    type: 'retry',
    attempt: 2,
    delayMs: 0,
    error: new UnknownInvocationError({ key, position }),
    mode: 'restart',
    delivered: { chunks: 0, bytes: had.bytes },
    position: positionOf(placeOf(opening)),
  };
}

function entryBefore(id: EntryId): EntryId {
  const { generation, bytes, slot } = placeOf(id);
  return entryIdOf({ generation, bytes, slot: slot - 1 });
}
