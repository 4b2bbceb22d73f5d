import type { CompleteEvent, HeadEvent, HttpHeadEvent, RetryEvent } from '../events.js';
import { isBytes, type PayloadSource } from '../shared/payload.js';

/**
 * - `connecting`: nothing has come yet.
 * - `streaming`: the response's head, or its first bytes, are there.
 * - `retrying`: an attempt has failed, the next one is due; `retry` says when.
 * - `complete`, `failed`: the last snapshot.
 */
export type SnapshotStatus = 'connecting' | 'streaming' | 'retrying' | 'complete' | 'failed';

/** A response at one moment, from `toSnapshots`. A new frozen object each time. */
export interface Snapshot {
  readonly status: SnapshotStatus;
  /** The payload so far, as UTF-8 text; what is no UTF-8 becomes U+FFFD. */
  readonly text: string;
  /** Payload bytes so far. */
  readonly bytes: number;
  /** Chunk events so far. Their number carries no meaning beyond being a sign of life. */
  readonly chunks: number;
  /** The present attempt's head. */
  readonly head?: HeadEvent;
  /** The present attempt's HTTP response, after `decodeHttpResponse`. */
  readonly httpHead?: HttpHeadEvent;
  /** With status `retrying` only. */
  readonly retry?: RetryEvent;
  /**
   * With status `complete` only, for a source of events: holds the log's tail, and under `functionErrors: 'emit'` the
   * failure.
   */
  readonly complete?: CompleteEvent;
  /** With status `failed` only. */
  readonly error?: unknown;
}

/** A response's state, fed by its events. */
export interface SnapshotState {
  /** Whether there is something new to see. */
  take(item: PayloadSource): boolean;
  fail(error: unknown): void;
  complete(): void;
  snapshot(): Snapshot;
}

/** Makes the state of one subscription. */
export function createSnapshotState(): SnapshotState {
  let decoder = new TextDecoder();
  let status: SnapshotStatus = 'connecting';
  let text = '';
  let bytes = 0;
  let chunks = 0;
  let completeEvent: CompleteEvent | undefined;
  /** The optional fields, apart from `text` and the counters, which change with every chunk. */
  let fields: Pick<Snapshot, 'head' | 'httpHead' | 'retry' | 'complete' | 'error'> = {};

  function takePayload(payload: Uint8Array): void {
    if (status !== 'streaming') stream(fields);
    // Engines append in constant time and join the pieces when the text is first read.
    text += decoder.decode(payload, { stream: true });
    bytes += payload.length;
    chunks++;
  }

  function stream({ head, httpHead }: Pick<Snapshot, 'head' | 'httpHead'>): void {
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
    if (event.mode === 'restart' || event.mode === 'continue') decoder = new TextDecoder();
    const { httpHead } = fields;
    fields = { ...(event.mode === 'replay' && httpHead && { httpHead }), retry: event };
  }

  return {
    take(item) {
      if (isBytes(item)) {
        takePayload(item);
        return true;
      }
      switch (item.type) {
        case 'chunk':
          takePayload(item.payload);
          return true;
        case 'head':
          stream({ ...fields, head: item });
          return true;
        case 'http-head':
          stream({ ...fields, httpHead: item });
          return true;
        case 'retry':
          retry(item);
          return true;
        case 'complete':
          // Shows with the last snapshot, which follows at once.
          completeEvent = item;
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
      text += decoder.decode();
      if (completeEvent) fields = { ...fields, complete: completeEvent };
    },
    snapshot: () => Object.freeze({ status, text, bytes, chunks, ...fields }),
  };
}
