import { firstValueFrom, from, Subject, take } from 'rxjs';
import type { EntryId, LogAnswer, LogClaim, LogEntry, LogWatcher } from '../../src/log/invocation-log.js';

/** The value of a log's answer, whichever form it has. */
export const answer = <T>(given: LogAnswer<T>): Promise<T> => firstValueFrom(from(given));

export const claimOf = (owner: string, more: Partial<LogClaim> = {}): LogClaim => ({
  owner,
  over: ['failed', 'lost', 'abandoned'],
  generation: 'new',
  opening: '{"v":1}',
  leaseMs: 5_000,
  ttlMs: 20_000,
  ...more,
});

/** Entries of the given payloads after an id. */
export function chunksAfter(last: EntryId, ...payloads: Uint8Array[]): LogEntry[] {
  const [generation, second] = last.split('-').map(Number) as [number, number];
  let bytes = Math.floor(second / 1024);
  let previous = last;
  return payloads.map((payload) => {
    bytes += payload.length;
    const entry: LogEntry = { id: `${generation}-${bytes * 1024}`, previous, record: '', payload };
    previous = entry.id;
    return entry;
  });
}

/** A watcher that remembers what it was told. */
export class Recorder implements LogWatcher {
  readonly heard: LogEntry[] = [];
  readonly failures: unknown[] = [];
  presences = 0;
  readies = 0;
  readonly #ready = new Subject<void>();

  /** Resolves at the given call of `ready` from now on. */
  nextReady(): Promise<void> {
    return firstValueFrom(this.#ready.pipe(take(1)));
  }

  ready(): void {
    this.readies += 1;
    this.#ready.next();
  }

  entries(entries: readonly LogEntry[]): void {
    this.heard.push(...entries);
  }

  presence(): void {
    this.presences += 1;
  }

  failed(error: unknown): void {
    this.failures.push(error);
  }

  closing(): Promise<void> {
    return Promise.resolve();
  }
}
