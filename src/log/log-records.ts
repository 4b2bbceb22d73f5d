import { ProtocolError } from '../errors.js';
import type { LambdaStreamEvent, RetryEvent, UnknownEvent } from '../events.js';
import { decodeFailure, encodeFailure } from '../shared/failure-codec.js';
import { fromTaggedJson, toTaggedJson } from '../shared/tagged-json.js';
import { placeOf, positionOf, type Place, type Position } from './entry-id.js';
import type { EntryId, LogEnd, LogEntry } from './invocation-log.js';

/** The version of the entries that this package writes, and the newest that it reads. */
const version = 1;

/** The most that an event without payload may take in a log, in bytes of JSON. */
export const maxRecordBytes = 64 * 1024;

/** An event, and the place right behind it: `after` takes it. Events without payload stand where the next byte will. */
export type PositionedEvent = LambdaStreamEvent & { readonly position: Position };

/** The record of an opening entry, from a claim or a restart. */
export interface Opening {
  readonly maxReplayBytes: number;
  /** The number of invocations of this key since the last fresh start: 2 after the first take-over. */
  readonly attempt: number;
  /** The retry event for earlier consumers: this invocation goes on after another one, or begins anew. */
  readonly retry?: RetryEvent;
}

/** The record of an end entry. */
export type Ending =
  | { readonly end: 'complete'; readonly event?: LambdaStreamEvent }
  | { readonly end: 'failed'; readonly error: unknown }
  | { readonly end: 'lost'; readonly reason: 'lease' | 'closed' | 'log' }
  | { readonly end: 'stopped' | 'abandoned' };

/** A decoded entry. `other` is an entry of a later version, which is ignored. */
export type DecodedEntry = { readonly entry: LogEntry; readonly place: Place; readonly before: Place } & (
  | { readonly kind: 'event'; readonly event: PositionedEvent }
  | { readonly kind: 'open'; readonly opening: Opening }
  | { readonly kind: 'end'; readonly ending: Ending }
  | { readonly kind: 'other' }
);

type Members = Readonly<Record<string, unknown>>;

/** Encodes an event. The payload of an unknown event travels beside the record. */
export function encodeEvent(event: LambdaStreamEvent): string {
  if (event.type === 'unknown') {
    const { payload: _, ...rest } = event;
    return write({ k: 'event', event: toTaggedJson(rest) });
  }
  if (event.type === 'retry') return write({ k: 'event', ...encodeRetry('event', event) });
  return write({ k: 'event', event: toTaggedJson(event) });
}

export function encodeOpening({ retry, maxReplayBytes, attempt }: Opening): string {
  return write({
    v: version,
    k: 'open',
    maxReplayBytes,
    attempt,
    ...(retry && encodeRetry('retry', retry)),
  });
}

export function encodeEnding(ending: Ending): string {
  if (ending.end === 'failed') return write({ k: 'end', end: 'failed', error: encodeFailure(ending.error) });
  if (ending.end === 'complete') return write({ k: 'end', end: 'complete', event: toTaggedJson(ending.event) });
  return write({ k: 'end', ...ending });
}

/**
 * Decodes an entry. The place of the one before it is not read again where that is the last one.
 *
 * @throws ProtocolError for an opening entry of a later version.
 */
export function decodeEntry(entry: LogEntry, lastId?: EntryId, lastPlace?: Place): DecodedEntry {
  const place = placeOf(entry.id);
  const position = positionOf(place);
  const before = lastPlace && entry.previous === lastId ? lastPlace : placeOf(entry.previous);
  if (entry.record === '') {
    // Written out, without the copy of a spread: this runs for each token (`npm run bench -- log`).
    return { entry, place, before, kind: 'event', event: { type: 'chunk', payload: entry.payload, position } };
  }
  const base = { entry, place, before };
  const record = read(entry.record);
  const event = record['k'] === 'event' ? eventOf(record, entry.payload) : undefined;
  if (event) return { ...base, kind: 'event', event: { ...event, position } };
  if (record['k'] === 'open') return { ...base, kind: 'open', opening: decodeOpening(entry.record) };
  const ending = record['k'] === 'end' ? endingOf(record) : undefined;
  return ending ? { ...base, kind: 'end', ending } : { ...base, kind: 'other' };
}

/** @throws ProtocolError for an opening entry of a later version, or for none. */
export function decodeOpening(text: string): Opening {
  const record = read(text);
  const { v, maxReplayBytes, attempt } = record;
  if (v !== version) {
    throw new ProtocolError(
      `The log was written by a later version of this package (${String(v)}, this one reads ${version}): update it`,
    );
  }
  const retry = eventOf({ event: record['retry'], error: record['error'] });
  return {
    maxReplayBytes: typeof maxReplayBytes === 'number' ? maxReplayBytes : Infinity,
    attempt: typeof attempt === 'number' ? attempt : 1,
    ...(retry?.type === 'retry' && { retry }),
  };
}

/** Reads the record of an end entry. Returns undefined for an end of a later version. */
export function decodeEnding(text: string): Ending | undefined {
  return endingOf(read(text));
}

/** Reads a record of a head. */
export function decodeEvent(text: string): LambdaStreamEvent | undefined {
  return eventOf(read(text));
}

function endingOf(record: Members): Ending | undefined {
  const end = record['end'] as LogEnd;
  switch (end) {
    case 'complete': {
      const event = eventOf(record);
      return event ? { end, event } : { end };
    }
    case 'failed':
      return { end, error: decodeFailure(record['error']) };
    case 'lost':
      return { end, reason: record['reason'] === 'closed' || record['reason'] === 'log' ? record['reason'] : 'lease' };
    case 'stopped':
    case 'abandoned':
      return { end };
    default:
      return undefined;
  }
}

/** Encodes a retry event. Its error is a member of its own, because other rules encode it. */
function encodeRetry(name: 'event' | 'retry', { error, ...event }: RetryEvent): Members {
  return { [name]: toTaggedJson(event), error: encodeFailure(error) };
}

/** Returns an event of this version's types, or undefined for any other. */
function eventOf(record: Members, payload?: Uint8Array): LambdaStreamEvent | undefined {
  const event = fromTaggedJson(record['event']) as { readonly type?: unknown } | undefined;
  switch (event?.type) {
    case 'unknown':
      return { ...(event as Omit<UnknownEvent, 'payload'>), payload: payload ?? new Uint8Array(0) };
    case 'retry':
      return { ...(event as Omit<RetryEvent, 'error'>), error: decodeFailure(record['error']) };
    case 'head':
    case 'http-head':
    case 'complete':
      return event as LambdaStreamEvent;
    default:
      return undefined;
  }
}

function write(record: Members): string {
  return JSON.stringify(record);
}

/** Reads JSON that another process wrote. */
function read(text: string): Members {
  try {
    return Object(JSON.parse(text)) as Members;
  } catch (cause) {
    throw new ProtocolError('An entry of the log is not JSON: something else writes to its keys', { cause });
  }
}
