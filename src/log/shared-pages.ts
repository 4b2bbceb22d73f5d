import type { Observable } from 'rxjs';
import type { EntryId, LogPage } from './invocation-log.js';
import type { LogCalls } from './log-calls.js';

/** The pages that are being read. Readers of one process at the same place share the answer. */
export interface SharedPages {
  /** `onPage` is called once for each page, before its readers get it. */
  read(after: EntryId, maxBytes: number, onPage: (page: LogPage) => void): Observable<LogPage | undefined>;
}

export function createSharedPages(calls: LogCalls): SharedPages {
  const reading = new Map<string, Observable<LogPage | undefined>>();

  return {
    read(after, maxBytes, onPage) {
      const id = `${after}/${maxBytes}`;
      const shared = reading.get(id);
      if (shared) return shared;
      const answer = calls.read({ after, maxBytes });
      reading.set(id, answer);
      const done = (): unknown => reading.delete(id);
      answer.subscribe({
        next(page) {
          done();
          if (page) onPage(page);
        },
        error: done,
      });
      return answer;
    },
  };
}
