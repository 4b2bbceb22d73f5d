import { concat, EMPTY, expand, filter, ignoreElements, map, Observable, tap } from 'rxjs';
import { ProducerLostError, ReplayMismatchError } from '../errors.js';
import type { LambdaStreamEvent } from '../events.js';
import { startHash, updateHash } from '../retry/running-hash.js';
import { compareIds, openingIdOf, placeOf } from './entry-id.js';
import type { EntryId } from './invocation-log.js';
import type { LogCalls } from './log-calls.js';

/**
 * A source that brings again what the log holds already, with those bytes held back.
 *
 * The log's bytes up to `lost` are read first, into a hash. Then the source is subscribed to: its first bytes have to
 * be the same, else a ReplayMismatchError; what comes after them passes through.
 */
export function replayAfter(
  calls: LogCalls,
  lost: EntryId,
  cause: unknown,
): (source: Observable<LambdaStreamEvent>) => Observable<LambdaStreamEvent> {
  const { generation, bytes: heldBytes } = placeOf(lost);

  return (source) =>
    new Observable((subscriber) => {
      const logged = startHash();
      let cursor = openingIdOf(generation);

      const readPage = (): Observable<number> =>
        calls.read({ after: cursor }).pipe(
          map((page) => {
            for (const { id, previous, record, payload } of page?.entries ?? []) {
              if (compareIds(id, lost) > 0) break;
              if (previous !== cursor) throw new ProducerLostError({ key: calls.key, reason: 'log', cause });
              if (record === '') updateHash(logged, payload);
              cursor = id;
            }
            if (page === undefined || page.entries.length === 0) {
              throw new ProducerLostError({ key: calls.key, reason: 'log', cause });
            }
            return compareIds(cursor, lost);
          }),
        );

      const history = readPage().pipe(
        expand((rest) => (rest < 0 ? readPage() : EMPTY)),
        ignoreElements(),
      );

      return concat(history, compare(source)).subscribe(subscriber);

      function compare(events: Observable<LambdaStreamEvent>): Observable<LambdaStreamEvent> {
        let toCome = heldBytes;
        let again = startHash();
        const differs = (reason: string): never => {
          throw new ReplayMismatchError(reason, { deliveredBytes: heldBytes, cause });
        };
        const assertAll = (): void => {
          if (toCome > 0) differs(`it ended ${toCome} bytes short`);
        };

        return events.pipe(
          map((event) => {
            if (event.type === 'complete') assertAll();
            if (toCome === 0) return event;
            if (event.type === 'retry' && event.mode === 'restart') {
              // The invocation itself begins again. So all the log's bytes have to come again.
              toCome = heldBytes;
              again = startHash();
              return undefined;
            }
            if (event.type === 'unknown') return undefined;
            if (event.type !== 'chunk') return event;
            const replayed = event.payload.subarray(0, toCome);
            updateHash(again, replayed);
            toCome -= replayed.length;
            if (toCome > 0) return undefined;
            if (String(again) !== String(logged)) differs('the function sent other bytes this time');
            const payload = event.payload.subarray(replayed.length);
            return payload.length === 0 ? undefined : { ...event, payload };
          }),
          filter((event) => event !== undefined),
          tap({ complete: assertAll }),
        );
      }
    });
}
