/** Bytes as text, one character each: concatenated, cut and compared as such. */
export type Bytes = string;

/** An event as the model knows it. */
export type ModelEvent =
  | { readonly type: 'head'; readonly statusCode: number; readonly requestId: string }
  | { readonly type: 'chunk' | 'unknown'; readonly bytes: Bytes }
  | { readonly type: 'complete'; readonly errorCode?: string }
  | { readonly type: 'http-head'; readonly statusCode: number }
  | {
      readonly type: 'retry';
      readonly attempt: number;
      readonly delayMs: number;
      readonly mode: string;
      readonly chunks: number;
      readonly bytes: number;
      readonly error: string;
    };

/** Who listens to a part of the model. Errors are text. */
export interface ModelObserver {
  readonly closed: boolean;
  next(event: ModelEvent): void;
  fail(error: string): void;
  end(): void;
}

/** What can be listened to. */
export interface ModelSource {
  subscribe(observer: ModelObserver): void;
  unsubscribe(observer: ModelObserver): void;
}

export const toBytes = (text: Bytes): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** An event in words: what the model's and the real one are compared by. */
export function inWords(event: ModelEvent): string {
  switch (event.type) {
    case 'head':
      return `head ${event.statusCode} ${event.requestId}`;
    case 'chunk':
    case 'unknown':
      return `${event.type} ${event.bytes}`;
    case 'complete':
      return `complete ${event.errorCode ?? ''}`;
    case 'http-head':
      return `http-head ${event.statusCode}`;
    case 'retry': {
      const { attempt, delayMs, mode, chunks, bytes, error } = event;
      return `retry ${attempt} in ${delayMs} ms, ${mode}, after ${chunks} chunks, ${bytes} bytes: ${error}`;
    }
  }
}
