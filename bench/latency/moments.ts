/** What the server saw of a stream, and when (ns of the machine's monotonic clock). */
export interface Moment {
  readonly moment: 'headers' | 'closed';
  readonly at: bigint;
}

/** The same, as a client saw it. */
export interface ClientMoments {
  /** The first that the application heard of the response. */
  readonly headAt: bigint;
  readonly leftAt: bigint;
}

/** The function that answers with its headers at once, its first frame later, and no end. */
export const latencyFunction = 'latency';

/** How long the first frame follows the headers, in milliseconds. */
export const firstFrameMs = 100;
