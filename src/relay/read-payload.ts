import { firstValueFrom, NEVER, Observable, race, switchMap, throwError, timer } from 'rxjs';
import { createByteCollector } from '../shared/byte-collector.js';
import type { RequestHead } from './doors.js';
import type { Exchange } from './exchange.js';
import { refusals } from './relay-refusal.js';

/** The limits of bodies: their size and their time. */
export interface BodyLimits {
  readonly maxBodyBytes: number;
  readonly maxPendingBodyBytes: number;
  readonly bodyTimeoutMs: number;
}

/** Reads the bodies of all requests, within common limits. */
export interface PayloadReader {
  /** Reads one body. Rejects with a refusal, or if the client goes away. */
  read(exchange: Exchange, head: RequestHead): Promise<Uint8Array>;
}

/** Makes a reader of bodies. It counts the bytes that it holds of unfinished bodies, and ignores claimed lengths. */
export function createPayloadReader({ maxBodyBytes, maxPendingBodyBytes, bodyTimeoutMs }: BodyLimits): PayloadReader {
  let pendingBytes = 0;

  function collect(exchange: Exchange): Observable<Uint8Array> {
    return new Observable((subscriber) => {
      const collected = createByteCollector();
      subscriber.add(() => (pendingBytes -= collected.length));
      subscriber.add(
        exchange.body.subscribe({
          next(bytes) {
            if (collected.length + bytes.length > maxBodyBytes) subscriber.error(refusals.tooLarge());
            else if (pendingBytes + bytes.length > maxPendingBodyBytes) subscriber.error(refusals.busyBodies());
            else {
              pendingBytes += bytes.length;
              collected.append(bytes);
            }
          },
          error: (error: unknown) => subscriber.error(error),
          complete() {
            subscriber.next(collected.toBytes());
            subscriber.complete();
          },
        }),
      );
    });
  }

  const tooSlow =
    bodyTimeoutMs === Infinity
      ? NEVER
      : timer(bodyTimeoutMs).pipe(switchMap(() => throwError(() => refusals.tooSlow())));

  return {
    async read(exchange, { method, headers }) {
      // A stated length over the limit is refused without reading.
      if (Number(headers.get('content-length')) > maxBodyBytes) throw refusals.tooLarge();
      if (method === 'GET') return new Uint8Array(0);
      return firstValueFrom(race(collect(exchange), tooSlow), { defaultValue: new Uint8Array(0) });
    },
  };
}
