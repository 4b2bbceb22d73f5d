import { filter, tap, type Observable } from 'rxjs';
import { readPayload, type PayloadDecoder, type PayloadSource } from '../shared/payload.js';

/** A decoder that hands its output out itself. */
export interface PayloadReader extends PayloadDecoder {
  /** Hands out what the end of the payload makes final. Errors are thrown. */
  flush(): void;
}

/**
 * Has all payload read, and passes on nothing but the end: the source's, or an error that the reader throws.
 *
 * To be subscribed with the very subscriber that the reader's output goes to, not with an observer that calls it: so a
 * synchronous source stops in the middle of its burst, when a subscription to unsubscribe is not even returned yet.
 */
export function decodePayload(source: Observable<PayloadSource>, reader: PayloadReader): Observable<never> {
  return source.pipe(
    // The one operator that takes each item, passes none on, and makes an error notification of what is thrown. Chunks
    // may
    // be tiny, and then every operator more is felt (bench/ndjson).
    filter((item): item is never => {
      readPayload(item, reader);
      return false;
    }),
    tap({ complete: () => reader.flush() }),
  );
}
