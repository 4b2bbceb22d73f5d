import { asyncScheduler, type Subscription } from 'rxjs';

/** Actions that run unless they are cancelled in time. */
export interface Deadlines {
  /** Runs the action after this many milliseconds, unless the returned function is called before. */
  add(ms: number, action: () => void): () => void;
}

interface Deadline {
  readonly stepMs: number;
  readonly action: () => void;
  /** The end of the present step. */
  at: number;
  stepsLeft: number;
}

/** The number of steps in which a deadline is counted. */
const steps = 3;

/**
 * Watches many deadlines with one timer. Nearly all of them are called off: a timer for each call of a log took more
 * time than the call itself (`npm run bench -- log`).
 *
 * A deadline is counted in steps. Each begins when the step before was seen to be over, so that a frozen process loses
 * one step, however long it was frozen: when it wakes, its timers run before the answers that wait in its sockets.
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
    const due: Deadline[] = [];
    for (const deadline of pending) {
      if (deadline.at > now) continue;
      deadline.stepsLeft -= 1;
      deadline.at = now + deadline.stepMs;
      if (deadline.stepsLeft > 0) continue;
      pending.delete(deadline);
      due.push(deadline);
    }
    let next = Infinity;
    for (const { at } of pending) next = Math.min(next, at);
    arm(next);
    for (const { action } of due) action();
  }

  return {
    add(ms, action) {
      const stepMs = ms / steps;
      const deadline: Deadline = { stepMs, action, at: asyncScheduler.now() + stepMs, stepsLeft: steps };
      pending.add(deadline);
      if (deadline.at < timerAt) arm(deadline.at);
      return () => {
        if (pending.delete(deadline) && pending.size === 0) arm(Infinity);
      };
    },
  };
}
