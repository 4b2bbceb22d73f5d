import { ResponseTooLargeError } from '../errors.js';
import type { ChunkEvent, CompleteEvent, HeadEvent, HttpHeadEvent, LambdaStreamEvent, RetryEvent } from '../events.js';
import { payloadOf, type PayloadSource } from '../shared/payload.js';
import { createPieceDecoder } from '../shared/text-decoder.js';

/** What a snapshot shows whatever its status is. */
export interface SnapshotProgress {
  /** The payload so far, as UTF-8 text; bytes that are not UTF-8 become U+FFFD. */
  readonly text: string;
  /** Payload bytes so far. */
  readonly bytes: number;
  /** Chunk events so far. Their number carries no meaning beyond being a sign of life. */
  readonly chunks: number;
  /** The present attempt's head. */
  readonly head?: HeadEvent;
  /** The present attempt's HTTP response, after `decodeHttpResponse`. */
  readonly httpHead?: HttpHeadEvent;
}

/** Nothing has come yet. */
export interface ConnectingSnapshot extends SnapshotProgress {
  readonly status: 'connecting';
}

/** The response's head, or its first bytes, are there. */
export interface StreamingSnapshot extends SnapshotProgress {
  readonly status: 'streaming';
}

/** An attempt has failed, and the next one is due. */
export interface RetryingSnapshot extends SnapshotProgress {
  readonly status: 'retrying';
  /** What failed, and when the next attempt begins. */
  readonly retry: RetryEvent;
}

/** The last snapshot of a complete response. */
export interface CompleteSnapshot extends SnapshotProgress {
  readonly status: 'complete';
  /** For a source of events: holds the log's tail, and under `functionErrors: 'emit'` the function's failure. */
  readonly complete?: CompleteEvent;
}

/** The last snapshot of a response that failed. */
export interface FailedSnapshot extends SnapshotProgress {
  readonly status: 'failed';
  /** The source's error, unchanged. */
  readonly error: unknown;
}

/** A response at one moment, from `toSnapshots`, discriminated by `status`. A new frozen object each time. */
export type Snapshot = ConnectingSnapshot | StreamingSnapshot | RetryingSnapshot | CompleteSnapshot | FailedSnapshot;

/** What a {@link Snapshot} shows: its discriminant. */
export type SnapshotStatus = Snapshot['status'];

/** The optional fields. Which of them are there follows from the status. */
interface SnapshotFields extends Pick<SnapshotProgress, 'head' | 'httpHead'> {
  readonly retry?: RetryEvent;
  readonly complete?: CompleteEvent;
  readonly error?: unknown;
}

/** A response's state, fed by its events. */
export interface SnapshotState {
  /**
   * Whether there is something new to see.
   *
   * @throws ResponseTooLargeError for a payload over the limit, which leaves the state as it was.
   */
  take(item: PayloadSource): boolean;
  fail(error: unknown): void;
  complete(): void;
  snapshot(): Snapshot;
}

/** Makes the state of one subscription, which holds the text of at most `maxBytes` of payload. */
export function createSnapshotState(maxBytes: number): SnapshotState {
  let decodePiece = createPieceDecoder();
  let status: SnapshotStatus = 'connecting';
  let text = '';
  let bytes = 0;
  let chunks = 0;
  let completeEvent: CompleteEvent | undefined;
  /** The optional fields, apart from `text` and the counters, which change with every chunk. */
  let fields: SnapshotFields = {};

  function takePayload(payload: Uint8Array): void {
    if (bytes + payload.length > maxBytes) {
      throw new ResponseTooLargeError('The response is larger than the maxBytes of toSnapshots', { maxBytes });
    }
    if (status !== 'streaming') stream(fields);
    // Engines append in constant time and join the pieces when the text is first read.
    text += decodePiece(payload);
    bytes += payload.length;
    chunks++;
  }

  function stream({ head, httpHead }: SnapshotFields): void {
    status = 'streaming';
    fields = { ...(head && { head }), ...(httpHead && { httpHead }) };
  }

  function retry(event: RetryEvent): void {
    status = 'retrying';
    if (event.mode === 'restart') {
      text = '';
      bytes = 0;
      chunks = 0;
    }
    // A replay goes on within the character that was cut; after the other two it is void.
    if (event.mode === 'restart' || event.mode === 'continue') decodePiece = createPieceDecoder();
    const { httpHead } = fields;
    fields = { ...(event.mode === 'replay' && httpHead && { httpHead }), retry: event };
  }

  return {
    take(item) {
      const payload = payloadOf(item, 'toSnapshots');
      if (payload) {
        takePayload(payload);
        return true;
      }
      const event = item as Exclude<LambdaStreamEvent, ChunkEvent>;
      switch (event.type) {
        case 'head':
          stream({ ...fields, head: event });
          return true;
        case 'http-head':
          stream({ ...fields, httpHead: event });
          return true;
        case 'retry':
          retry(event);
          return true;
        case 'complete':
          // Shows with the last snapshot, which follows at once.
          completeEvent = event;
          return false;
        case 'unknown':
          return false;
      }
    },
    fail(error) {
      stream(fields);
      status = 'failed';
      fields = { ...fields, error };
    },
    complete() {
      stream(fields);
      status = 'complete';
      text += decodePiece();
      if (completeEvent) fields = { ...fields, complete: completeEvent };
    },
    snapshot: () => Object.freeze({ status, text, bytes, chunks, ...fields } as Snapshot),
  };
}
