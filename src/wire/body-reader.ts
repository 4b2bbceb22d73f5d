/**
 * Reads an HTTP response body into an observer. It begins paused. Nothing is reported after `cancel` or `drain`.
 */
export interface BodyReader {
  resume(): void;
  /** Stops reading, so that TCP slows the sender down. At most what was already received is still held. */
  pause(): void;
  /** Reads to the end without reporting, so that the connection can be used again; closes it where no end comes. */
  drain(): void;
  /** Closes the connection. */
  cancel(): void;
}

/** How much may follow the end of the response before its connection is given up, in bytes. */
export const maxDrainBytes = 64 * 1024;

/** How long the end of the HTTP response may take after the response's last event, in milliseconds. */
export const maxDrainMs = 1_000;
