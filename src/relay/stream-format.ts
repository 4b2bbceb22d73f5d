import type { LambdaStreamEvent } from '../events.js';

/** An event, and where it stands: its position after it, `0-BYTES` where the invocation has no key. */
export type StreamEvent = LambdaStreamEvent & { readonly position: string };

/** How events and failures look to one client. Made anew for each: it holds the client's state. */
export interface StreamFormat {
  readonly contentType: string;
  /** What is sent at once with the headers; undefined where the headers wait for the first event. */
  readonly opening?: Uint8Array;
  /** Says where the stream is, as soon as that is known: before the first event. */
  place(position: string): Uint8Array | undefined;
  /** The pieces that tell an event. */
  event(event: StreamEvent): readonly Uint8Array[];
  /** The pieces that tell of a failure, after which the stream ends. */
  failure(error: unknown): readonly Uint8Array[];
  readonly ping: Uint8Array;
}

/** The position that was read last, and its generation: all clients of an invocation ask for the same one. */
let lastRead = { position: '', generation: '' };

/** The generation of a position. */
export function generationOf(position: string): string {
  if (lastRead.position !== position) lastRead = { position, generation: position.slice(0, position.indexOf('-')) };
  return lastRead.generation;
}

/** A retry after which what was delivered is void. */
export function isRestart(event: LambdaStreamEvent): boolean {
  return event.type === 'retry' && event.mode === 'restart';
}
