import type { Observable } from 'rxjs';
import type { RequestHead } from './doors.js';

/** The sending side of an answer that is a stream. */
export interface Outlet {
  /** Hands bytes on. False says that the client should be waited for: `drained` follows, or the client leaves. */
  write(bytes: Uint8Array): boolean;
  /** Counts the bytes that wait for the client. A method: V8 would keep a getter in a slow dictionary a client. */
  waiting(): number;
  /** Ends the answer as it should end. */
  end(): void;
  /** Cuts the connection, so that the client sees that the answer is not complete. */
  cut(reason: Error): void;
}

/** One request and its answer, whichever door it came through. It lives as long as the answer, and holds no headers. */
export interface Exchange {
  /** Reads the request's head anew. */
  head(): RequestHead;
  readonly context: unknown;
  /** Whether somebody else's parser has the body. */
  isBodyTaken(): boolean;
  /** The pieces of the body. Errors where the client goes away; unsubscribing reads no further. */
  readonly body: Observable<Uint8Array>;
  /** Aborted when the client has left before its answer was sent to the end. */
  readonly signal: AbortSignal;
  /** Sends a whole answer. */
  answer(status: number, headers: Readonly<Record<string, string>>, body?: string): void;
  /** Begins an answer that is a stream. */
  open(status: number, headers: Readonly<Record<string, string>>, drained: () => void): Outlet;
}
