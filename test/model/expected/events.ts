import type { FailureName } from './failures.js';

/** Bytes as text, one character for each byte, so that they are concatenated, cut and compared as text. */
export type Bytes = string;

export const toBytes = (text: Bytes): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
export const fromBytes = (payload: Uint8Array): Bytes => String.fromCharCode(...payload);

/** What a function's response does. */
export type ResponseStep =
  | {
      readonly does:
        | 'head'
        /** An accepted DryRun, which is a whole response. */
        | 'head 204'
        | 'unknown'
        | 'complete'
        /** The connection stays open after the last frame. */
        | 'complete, without an end'
        | 'function error'
        | 'damaged frame'
        /** The connection ends without an InvokeComplete. */
        | 'end'
        | 'break';
    }
  /** The next so many bytes of the response's document, as one chunk; fewer where the document ends. */
  | { readonly does: 'chunk'; readonly bytes: number }
  | { readonly does: 'fail'; readonly how: FailureName };

/** An event as it is expected. Errors are their names in `failures`, or a line of text. */
export type ExpectedEvent =
  | { readonly type: 'head'; readonly statusCode: number; readonly requestId: string }
  | { readonly type: 'chunk' | 'unknown'; readonly bytes: Bytes }
  | { readonly type: 'complete'; readonly errorCode?: string }
  | {
      readonly type: 'retry';
      readonly attempt: number;
      readonly delayMs: number;
      readonly mode: string;
      readonly chunks: number;
      readonly bytes: number;
      readonly error: string;
    };

/** A consumer of expected events. */
export interface ExpectedObserver {
  readonly closed: boolean;
  next(event: ExpectedEvent): void;
  fail(error: string): void;
  complete(): void;
}

export interface ExpectedSource {
  subscribe(observer: ExpectedObserver): void;
  unsubscribe(observer: ExpectedObserver): void;
}

/** An event as a line of text: expected and real events are compared as such. */
export function lineOf(event: ExpectedEvent): string {
  switch (event.type) {
    case 'head':
      return `head ${event.statusCode} ${event.requestId}`;
    case 'chunk':
    case 'unknown':
      return `${event.type} ${event.bytes}`;
    case 'complete':
      return `complete ${event.errorCode ?? ''}`;
    case 'retry': {
      const { attempt, delayMs, mode, chunks, bytes, error } = event;
      return `retry ${attempt} in ${delayMs} ms, ${mode}, after ${chunks} chunks, ${bytes} bytes: ${error}`;
    }
  }
}
