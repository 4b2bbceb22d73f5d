/**
 * Collects what is unreachable, as a long-lived process does sooner or later. Needs `--expose-gc`.
 *
 * Each round is in a turn of its own: an object that was looked at lives to the end of the turn, and finalizers are
 * called in another one.
 */
export async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 4; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc!();
  }
  await new Promise((resolve) => setImmediate(resolve));
}
