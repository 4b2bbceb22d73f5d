import type { LambdaStreamEvent } from '../events.js';

/** An event with the position after it. Without a key the position is `0-BYTES`. */
export type StreamEvent = LambdaStreamEvent & { readonly position: string };

/** Formats events and failures for one client. It holds that client's state. */
export interface StreamFormat {
  readonly contentType: string;
  /** The bytes that are sent at once with the headers. Undefined if the headers wait for the first event. */
  readonly opening?: Uint8Array;
  /** Formats the position at which the stream begins, which is told before the first event. */
  place(position: string): Uint8Array | undefined;
  /** Formats an event, in pieces. */
  event(event: StreamEvent): readonly Uint8Array[];
  /** Formats a failure, in pieces. The stream ends after it. */
  failure(error: unknown): readonly Uint8Array[];
  readonly ping: Uint8Array;
}

/** The last position and its generation. They are kept because all clients of an invocation ask for the same ones. */
let lastRead = { position: '', generation: '' };

/** Returns the generation of a position. */
export function generationOf(position: string): string {
  if (lastRead.position !== position) lastRead = { position, generation: position.slice(0, position.indexOf('-')) };
  return lastRead.generation;
}

/** Tells whether an event is a retry that makes the delivered data void. */
export function isRestart(event: LambdaStreamEvent): boolean {
  return event.type === 'retry' && event.mode === 'restart';
}
