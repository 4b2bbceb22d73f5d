import { AsyncSubject, from } from 'rxjs';
import type { InvocationLog, LogAnswer, LogWatcher } from '../../src/log/invocation-log.js';
import { openMemoryLog } from '../../src/log/memory-log.js';
import { createMemoryStore, type MemoryStore } from '../../src/log/memory-store.js';

/** A process with its own way to a log that others share. */
export interface Machine extends InvocationLog {
  /** The process is gone, or frozen: nothing that it asks is heard, and it is told nothing. */
  cut(): void;
  /** The process goes on: it is told that it may have missed something. What it asked is lost. */
  heal(): void;
  /** The same for a process that was frozen: what it asked is heard now, late. */
  thaw(): void;
}

/** Makes machines that share one memory. */
export function createMachines(store: MemoryStore = createMemoryStore()): {
  machine: () => Machine;
  store: MemoryStore;
} {
  return { machine: () => createMachine(openMemoryLog(store)), store };
}

function createMachine(log: InvocationLog): Machine {
  const watchers = new Set<LogWatcher>();
  let isCut = false;

  let unheard: (() => void)[] = [];

  function ask<T>(call: () => LogAnswer<T>): LogAnswer<T> {
    if (!isCut) return call();
    const late = new AsyncSubject<T>();
    unheard.push(() => void from(call()).subscribe(late));
    return late;
  }

  function goOn(): void {
    isCut = false;
    for (const watcher of watchers) watcher.ready();
  }

  return {
    close: () => log.close(),
    join: (request) => ask(() => log.join(request)),
    append: (request) => ask(() => log.append(request)),
    restart: (request) => ask(() => log.restart(request)),
    read: (request) => ask(() => log.read(request)),
    renew: (request) => ask(() => log.renew(request)),
    leave: (request) => ask(() => log.leave(request)),
    seal: (request) => ask(() => log.seal(request)),
    inspect: (key) => ask(() => log.inspect(key)),
    forget: (key) => ask(() => log.forget(key)),
    watch(key, watcher) {
      watchers.add(watcher);
      const stop = log.watch(key, {
        ready: () => !isCut && watcher.ready(),
        entries: (entries) => !isCut && watcher.entries(entries),
        presence: () => !isCut && watcher.presence(),
        failed: (error) => watcher.failed(error),
        closing: () => watcher.closing(),
      });
      return () => {
        watchers.delete(watcher);
        stop();
      };
    },
    cut() {
      isCut = true;
    },
    heal() {
      unheard = [];
      goOn();
    },
    thaw() {
      const late = unheard;
      unheard = [];
      for (const call of late) call();
      goOn();
    },
  };
}
