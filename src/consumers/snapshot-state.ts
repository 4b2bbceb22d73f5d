import { ResponseTooLargeError } from '../errors.js';
import type { ChunkEvent, CompleteEvent, HeadEvent, HttpHeadEvent, LambdaStreamEvent, RetryEvent } from '../events.js';
import { payloadOf, type PayloadSource } from '../shared/payload.js';
import { createPieceDecoder } from '../shared/text-decoder.js';

/** The fields of every snapshot. */
export interface SnapshotProgress {
  /** The payload so far, as UTF-8 text. Bytes that are not UTF-8 become U+FFFD. */
  readonly text: string;
  /** Payload bytes so far. */
  readonly bytes: number;
  /** Chunk events so far. Their number shows only that the response goes on. */
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

/** An attempt has failed, and the next one will begin. */
export interface RetryingSnapshot extends SnapshotProgress {
  readonly status: 'retrying';
  /** What failed, and when the next attempt begins. */
  readonly retry: RetryEvent;
}

/** The last snapshot of a complete response. */
export interface CompleteSnapshot extends SnapshotProgress {
  readonly status: 'complete';
  /** The log's tail, and under `functionErrors: 'emit'` the function's failure. Absent for a source of plain bytes. */
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

/** The discriminant of a {@link Snapshot}. */
export type SnapshotStatus = Snapshot['status'];

/** The optional fields. The status decides which of them are present. */
interface SnapshotFields extends Pick<SnapshotProgress, 'head' | 'httpHead'> {
  readonly retry?: RetryEvent;
  readonly complete?: CompleteEvent;
  readonly error?: unknown;
}

/** A response's state, fed by its events. */
export interface SnapshotState {
  /**
   * Takes the next item. Returns whether the snapshot has changed.
   *
   * @throws ResponseTooLargeError for a payload over the limit. The state is then unchanged.
   */
  take(item: PayloadSource): boolean;
  fail(error: unknown): void;
  complete(): void;
  snapshot(): Snapshot;
}

/** Makes the state of one subscription. It holds the text of at most `maxBytes` of payload. */
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
    // JavaScript engines append in constant time, and join the pieces when the text is first read.
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
    // A replay goes on within the character that was cut. A restart or a continuation drops that character.
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
          // The last snapshot has it, and follows at once.
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
