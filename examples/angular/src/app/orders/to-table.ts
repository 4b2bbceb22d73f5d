import { bufferTime, catchError, endWith, filter, map, of, scan, startWith, type OperatorFunction } from 'rxjs';

/** Rows as far as they are there. */
export interface Table<T> {
  readonly rows: readonly T[];
  readonly status: 'loading' | 'complete' | 'failed' | 'stopped';
  /** With status `failed` only. */
  readonly error?: unknown;
}

type Change<T> = { readonly row: T } | Pick<Table<T>, 'status' | 'error'>;

/**
 * Collects records for a table: at once an empty one, then what has come, at most every `intervalMs`.
 *
 * It never errors: a failure is a state of the table, with its rows so far. That suits `rxResource`, which would drop
 * them with the error, and fail (NG0991) on a stream that ends without a value.
 */
export function toTable<T>(intervalMs = 50): OperatorFunction<T, Table<T>> {
  const empty: Table<T> = { rows: [], status: 'loading' };
  return (source) =>
    source.pipe(
      map((row): Change<T> => ({ row })),
      endWith<Change<T>>({ status: 'complete' }),
      // Before the buffer, which drops what it holds when its source fails.
      catchError((error: unknown) => of<Change<T>>({ status: 'failed', error })),
      bufferTime(intervalMs),
      filter((changes) => changes.length > 0),
      scan((table, changes) => {
        const more = changes.flatMap((change) => ('row' in change ? [change.row] : []));
        const end = changes.find((change) => 'status' in change);
        return { ...table, ...end, rows: [...table.rows, ...more] };
      }, empty),
      startWith(empty),
    );
}
