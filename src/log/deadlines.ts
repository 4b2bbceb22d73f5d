import { asyncScheduler, type Subscription } from 'rxjs';

/** Actions that run unless they are cancelled in time. */
export interface Deadlines {
  /** Runs the action after this many milliseconds, unless the returned function is called before. */
  add(ms: number, action: () => void): () => void;
}

interface Deadline {
  readonly at: number;
  readonly action: () => void;
}

/**
 * Watches many deadlines with one timer. Nearly all of them are called off: a timer for each call of a log took more
 * time than the call itself (`npm run bench -- log`).
 *
 * No timer is left while there are no deadlines, so that a process can end.
 */
export function createDeadlines(): Deadlines {
  const pending = new Set<Deadline>();
  let timer: Subscription | undefined;
  let timerAt = Infinity;

  function arm(at: number): void {
    timer?.unsubscribe();
    timerAt = at;
    timer = at === Infinity ? undefined : asyncScheduler.schedule(fire, Math.max(0, at - asyncScheduler.now()));
  }

  function fire(): void {
    const now = asyncScheduler.now();
    const due = [...pending].filter(({ at }) => at <= now);
    for (const deadline of due) pending.delete(deadline);
    let next = Infinity;
    for (const { at } of pending) next = Math.min(next, at);
    arm(next);
    for (const { action } of due) action();
  }

  return {
    add(ms, action) {
      const deadline = { at: asyncScheduler.now() + ms, action };
      pending.add(deadline);
      if (deadline.at < timerAt) arm(deadline.at);
      return () => {
        if (pending.delete(deadline) && pending.size === 0) arm(Infinity);
      };
    },
  };
}
