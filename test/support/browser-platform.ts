/** What browsers do each in their own way, whatever the page does. */
export const isFirefox = navigator.userAgent.includes('Firefox');

/** Firefox shows a page the headers of a response when the body's first byte arrives, or the body's end. */
export const showsHeadersAlone = !isFirefox;

/** The message of a `fetch` that the network or CORS failed. */
export const fetchFailed = isFirefox ? 'NetworkError when attempting to fetch resource.' : 'Failed to fetch';

/** Collects what is unreachable. Firefox has no way to ask for it: there, garbage is made until it is collected. */
export async function collectGarbage(): Promise<void> {
  const { gc } = globalThis as { gc?: () => void };
  if (!gc && !isFirefox) throw new Error('Chromium needs --js-flags=--expose-gc');
  if (gc) {
    for (let i = 0; i < 3; i++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve));
    }
    return;
  }
  const garbage = { isCollected: false };
  // Not a WeakRef: a look at one keeps what it leads to.
  const registry = new FinalizationRegistry(() => (garbage.isCollected = true));
  registry.register({}, undefined);
  while (!garbage.isCollected) {
    Array.from({ length: 1_000 }, () => new Array<number>(1_000).fill(Math.random()));
    await new Promise((resolve) => setTimeout(resolve));
  }
}
