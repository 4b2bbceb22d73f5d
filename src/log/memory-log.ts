import { Observable, of, throwError } from 'rxjs';
import { LogUnavailableError } from '../errors.js';
import type { InvocationLog, LogWatcher } from './invocation-log.js';
import { createMemoryStore, type MemoryStore } from './memory-store.js';

/**
 * Makes an invocation log in the memory of this process, for applications of one process and to begin with.
 *
 * It needs no server. Its keys belong to this object, so that two memory logs share nothing. It uses RxJS's clock, and
 * its answers come at once, so that marbles can test what is built on it.
 *
 * - **Memory** at most `maxReplayBytes` and 64 KiB for each key, until `ttlMs` after its end.
 *
 * @example
 * const log = memoryLog();
 * joinInvocation(log, `chat:${chatId}`, (pauseWhile) =>
 *   invokeWithResponseStream(client, { FunctionName: 'chat', Payload: { chatId } }, { pauseWhile }),
 * ).pipe(decodeText()).subscribe((text) => process.stdout.write(text));
 */
export function memoryLog(): InvocationLog {
  return openMemoryLog(createMemoryStore());
}

/** Makes a log on a store that other logs may share. Each log has its own watchers, and is closed separately. */
export function openMemoryLog(store: MemoryStore): InvocationLog {
  const watching = new Map<LogWatcher, () => void>();
  let closed: Promise<void> | undefined;
  let isClosed = false;

  function answer<T>(call: () => T): Observable<T> {
    return isClosed ? throwError(() => new LogUnavailableError('it was closed')) : of(call());
  }

  async function close(): Promise<void> {
    await Promise.allSettled([...watching.keys()].map((watcher) => watcher.closing()));
    isClosed = true;
    for (const stop of watching.values()) stop();
    watching.clear();
  }

  return {
    join: (request) => answer(() => store.join(request)),
    append: (request) => answer(() => store.append(request)),
    restart: (request) => answer(() => store.restart(request)),
    read: (request) => answer(() => store.read(request)),
    renew: (request) => answer(() => store.renew(request)),
    leave: (request) => answer(() => store.leave(request)),
    seal: (request) => answer(() => store.seal(request)),
    inspect: (key) => answer(() => store.inspect(key)),
    forget: (key) => answer(() => store.forget(key)),
    watch(key, watcher) {
      if (isClosed) {
        watcher.failed(new LogUnavailableError('it was closed'));
        return () => undefined;
      }
      // Registered first: the watcher's `ready` may close the log.
      watching.set(watcher, () => undefined);
      const stop = store.watch(key, watcher);
      watching.set(watcher, stop);
      return () => {
        watching.delete(watcher);
        stop();
      };
    },
    close: () => (closed ??= close()),
  };
}
