/** A response body that is being read into an observer. It begins paused. */
export interface BodySource {
  /** Stops reading, so that TCP slows the sender down, or goes on. At most what was already received is still held. */
  pace(paused: boolean): void;
  /** Closes the connection. May be called at any time, also after the end. */
  destroy(): void;
}

/** Reads an HTTP response body into an observer. It begins paused. Nothing is reported after `cancel` or `drain`. */
export interface BodyReader {
  /** Stops reading, so that TCP slows the sender down, or goes on. At most what was already received is still held. */
  pace(paused: boolean): void;
  /** Reads to the end without reporting, so that the connection can be used again; closes it where no end comes. */
  drain(): void;
  /** Closes the connection. */
  cancel(): void;
}
