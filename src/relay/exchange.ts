import type { Observable } from 'rxjs';
import type { RequestHead } from './doors.js';

/** The sending side of an answer that is a stream. */
export interface Outlet {
  /** Sends bytes. Returns false where the caller should wait until `drained` is called, or the client leaves. */
  write(bytes: Uint8Array): boolean;
  /** Counts the bytes that wait for the client. Not a getter: V8 would turn each outlet into a slow dictionary. */
  waiting(): number;
  /** Ends the answer as complete. */
  end(): void;
  /** Cuts the connection, so that the client sees that the answer is not complete. */
  cut(reason: Error): void;
}

/** One request and its answer, from `fetch` or `listener`. It lives as long as the answer, and holds no headers. */
export interface Exchange {
  /** Reads the request's head anew. */
  head(): RequestHead;
  readonly context: unknown;
  /** Whether a body parser of the application has read the body. */
  isBodyTaken(): boolean;
  /** Emits the pieces of the body. Errors if the client goes away. Unsubscribing stops reading. */
  readonly body: Observable<Uint8Array>;
  /** Aborted when the client has left before its answer was sent to the end. */
  readonly signal: AbortSignal;
  /** Sends a whole answer. */
  answer(status: number, headers: Readonly<Record<string, string>>, body?: string): void;
  /** Begins an answer that is a stream. */
  open(status: number, headers: Readonly<Record<string, string>>, drained: () => void): Outlet;
}
