import { startClock, type Cost } from './cost.js';

/** A measured round: its cost and its result. */
export interface Round<Result = unknown> extends Cost {
  readonly result: Result;
}

/** What a measured process answers to a task. */
export interface Answer<Result = unknown> {
  readonly answer: { readonly round: Round<Result> } | { readonly failure: string };
}

/**
 * Makes this process one that measures on demand: each task that its parent sends is one round.
 *
 * @param prepare - Makes everything that a round needs, and returns the function that is measured. Its argument is the
 * task that the parent gave to `measureIn`, unchecked.
 */
export function serveRounds<Result>(prepare: (task: never) => () => Promise<Result>): void {
  async function measure(task: never): Promise<Round<Result>> {
    const run = prepare(task);
    const cost = startClock();
    const result = await run();
    return { ...cost(), result };
  }

  const reply = (answer: Answer['answer']): void => void process.send?.({ answer } satisfies Answer);
  process.on('message', ({ task }: { task: never }) => {
    measure(task).then(
      (round) => reply({ round }),
      (error: unknown) => reply({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.on('disconnect', () => process.exit());
}

/** Collects everything that is garbage now. */
export function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('Run with --expose-gc');
  globalThis.gc();
}
