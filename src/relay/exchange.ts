import type { Observable } from 'rxjs';
import type { RequestHead } from './doors.js';

/** The sending side of an answer that is a stream. */
export interface Outlet {
  /** Hands bytes on. False says that the client should be waited for: `drained` follows, or the client leaves. */
  write(bytes: Uint8Array): boolean;
  /** Bytes that wait for the client. */
  readonly waiting: number;
  /** Ends the answer as it should end. */
  end(): void;
  /** Cuts the connection, so that the client sees that the answer is not complete. */
  cut(reason: Error): void;
}

/** One request and its answer, whichever door it came through. */
export interface Exchange extends RequestHead {
  readonly context: unknown;
  /** A parser of somebody else's has the body. */
  readonly isBodyTaken: boolean;
  /** The pieces of the body. Errors where the client goes away; unsubscribing reads no further. */
  readonly body: Observable<Uint8Array>;
  /** Aborted when the client has left before its answer was sent to the end. */
  readonly signal: AbortSignal;
  /** Sends a whole answer. */
  answer(status: number, headers: Readonly<Record<string, string>>, body?: string): void;
  /** Begins an answer that is a stream. */
  open(status: number, headers: Readonly<Record<string, string>>, drained: () => void): Outlet;
}
