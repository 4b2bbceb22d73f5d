import { collectGarbage } from '../test/support/collect-garbage.js';

/** How often the resident set is looked at, in milliseconds. A look costs some microseconds. */
const intervalMs = 10;

/**
 * Watches the resident set from here on: what the operating system counts, garbage that waits for its collector
 * included, since that is what a container's limit is held against.
 *
 * The start is taken after a forced collection. From then on nothing is forced: the collector does as in production.
 */
export async function watchResidentSet(): Promise<{ stop: () => { growth: number; samples: number } }> {
  await collectGarbage();
  const start = process.memoryUsage.rss();
  let most = start;
  let samples = 0;
  function look(): void {
    samples++;
    most = Math.max(most, process.memoryUsage.rss());
  }
  const timer = setInterval(look, intervalMs);
  return {
    stop() {
      clearInterval(timer);
      look();
      return { growth: most - start, samples };
    },
  };
}
