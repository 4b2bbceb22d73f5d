/** A moment of a stream as the server saw it, in ns of the machine's monotonic clock. */
export interface Moment {
  readonly moment: 'headers' | 'closed';
  readonly at: bigint;
}

/** The moments of a stream as a client saw them. */
export interface ClientMoments {
  /** When the application first heard of the response. */
  readonly headAt: bigint;
  readonly leftAt: bigint;
}

/** The function that sends its headers at once and its first frame later, and never ends. */
export const latencyFunction = 'latency';

/** How long the first frame follows the headers, in milliseconds. */
export const firstFrameMs = 100;
