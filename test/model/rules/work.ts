/** What one read brings: values, and perhaps the end behind them. */
export interface ModelRead {
  readonly values: readonly number[];
  readonly end?: 'complete' | 'failed';
}

/** A response whose values are worked on, under a flow control. */
export interface ModelWork {
  readonly results: readonly number[];
  /** The values in work, in the order in which they were begun. */
  readonly active: readonly number[];
  /** What the response has been told of pauses. */
  readonly pauses: readonly boolean[];
  readonly paused: boolean;
  /** Whether the response is being read. */
  readonly isOpen: boolean;
  readonly ending: 'complete' | 'failed' | undefined;
  read(read: ModelRead): void;
  finish(value: number): void;
  /** Ends it: nothing is in work, nothing waits, nothing is held back. */
  end(how?: 'complete' | 'failed'): void;
}

/**
 * What `createFlowControl({ highWaterMark }).mergeMap(project, concurrency)` and a `take(content)` behind it do.
 *
 * @param isPoisoned - Of such a value `project` throws.
 */
export function modelWork(
  { highWaterMark, concurrency, content }: { highWaterMark: number; concurrency: number; content: number | undefined },
  isPoisoned: (value: number) => boolean,
): ModelWork {
  const results: number[] = [];
  const pauses = [false];
  let active: number[] = [];
  let waiting: number[] = [];
  let heldBack: ModelRead[] = [];
  let paused = false;
  let isSourceComplete = false;
  let isOver = false;
  let ending: ModelWork['ending'];

  function pace(pause: boolean): void {
    if (pause === paused) return;
    paused = pause;
    pauses.push(pause);
  }

  function settle(): void {
    while (active.length < concurrency && waiting.length > 0) {
      const [value = 0] = waiting.splice(0, 1);
      if (isPoisoned(value)) {
        end('failed');
        return;
      }
      active.push(value);
    }
    const load = active.length + waiting.length;
    if (load >= highWaterMark) pace(true);
    if (load <= Math.floor(highWaterMark / 2)) pace(false);
    if (load === 0 && isSourceComplete) end('complete');
  }

  function read(next: ModelRead): void {
    if (isOver || isSourceComplete) return;
    if (paused) {
      heldBack.push(next);
      return;
    }
    // What one read brings arrives as a whole.
    waiting.push(...next.values);
    settle();
    if (next.end === 'failed') end('failed');
    if (next.end !== 'complete') return;
    isSourceComplete = true;
    settle();
  }

  function end(how?: 'complete' | 'failed'): void {
    if (isOver) return;
    isOver = true;
    ending = how;
    paused = false;
    active = waiting = heldBack = [];
  }

  return {
    results,
    get active() {
      return active;
    },
    pauses,
    get paused() {
      return paused;
    },
    get isOpen() {
      return !isOver && !isSourceComplete;
    },
    get ending() {
      return ending;
    },
    read,
    finish(value) {
      results.push(value);
      active = active.filter((one) => one !== value);
      if (results.length === content) end('complete');
      else settle();
      while (!paused && heldBack.length > 0) for (const next of heldBack.splice(0, 1)) read(next);
    },
    end,
  };
}
