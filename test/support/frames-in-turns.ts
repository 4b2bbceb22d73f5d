import { Subject, type Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';

/** What came in which frame of a diagram: a value, `|` or `#`. */
export type Mark = readonly [frame: number, mark: unknown];

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Reads a diagram's marks. */
export function marksOf(marbles: string, values?: Readonly<Record<string, unknown>>): Mark[] {
  return TestScheduler.parseMarbles(marbles, values).map(({ frame, notification }) => {
    const mark: unknown = notification.kind === 'N' ? notification.value : notification.kind === 'C' ? '|' : '#';
    return [frame / 10, mark];
  });
}

/**
 * Plays diagrams frame by frame where promises are at work, which virtual time does not know. A frame is a turn of the
 * event loop, so nothing is timed. In each frame the `reads` come first, then what the source emits.
 */
export async function playInTurns<T>(
  diagrams: { readonly reads: string; readonly source: string },
  connect: (open: (pauseWhile: Observable<boolean>) => Observable<string>) => () => Promise<IteratorResult<T>>,
): Promise<{ result: Mark[]; paused: Mark[]; unsubscribed: number | undefined }> {
  const source = new Subject<string>();
  const result: Mark[] = [];
  const paused: Mark[] = [];
  let unsubscribed: number | undefined;
  let frame = 0;

  const read = connect((pauseWhile) => {
    pauseWhile.subscribe((isPaused) => paused.push([frame, isPaused]));
    return source;
  });
  const reads = marksOf(diagrams.reads);
  const emissions = marksOf(diagrams.source);
  const last = Math.max(...[...reads, ...emissions].map(([at]) => at));
  for (; frame <= last; frame++) {
    for (const [at] of reads) {
      if (at !== frame) continue;
      void read().then(
        ({ value, done }) => result.push([frame, done ? '|' : value]),
        () => result.push([frame, '#']),
      );
    }
    await turn();
    for (const [at, mark] of emissions) {
      if (at !== frame) continue;
      if (mark === '|') source.complete();
      else if (mark === '#') source.error(new Error('cut'));
      else source.next(mark as string);
    }
    await turn();
    if (!source.observed && paused.length > 0) unsubscribed ??= frame;
  }
  return { result, paused, unsubscribed };
}
