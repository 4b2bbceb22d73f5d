import { setTimeout as delay } from 'node:timers/promises';

/** How fast a response may be sent. The first bytes have no limit, and the rest has a rate. */
export interface Bandwidth {
  readonly freeBytes: number;
  readonly bytesPerSecond: number;
}

/** What AWS documents for streamed responses: the first 6 MB uncapped, then 2 MB a second. */
const awsBandwidth: Bandwidth = { freeBytes: 6 * 1024 * 1024, bytesPerSecond: 2 * 1024 * 1024 };

/** Slows one response down to its bandwidth. */
export class Pacer {
  readonly #bandwidth: Bandwidth | undefined;
  readonly #signal: AbortSignal;
  #bytes = 0;
  #paidUntil = 0;

  /** @param signal - Aborting it ends every wait. */
  constructor(bandwidth: Bandwidth | 'aws' | undefined, signal: AbortSignal) {
    this.#bandwidth = bandwidth === 'aws' ? awsBandwidth : bandwidth;
    this.#signal = signal;
  }

  /** Counts the bytes, and waits until the bandwidth allows to send them. */
  async pace(byteLength: number): Promise<void> {
    const before = this.#bytes;
    this.#bytes += byteLength;
    if (this.#bandwidth === undefined) return;
    const { freeBytes, bytesPerSecond } = this.#bandwidth;
    if (this.#bytes <= freeBytes || this.#signal.aborted) return;
    const now = performance.now();
    const charged = Math.min(byteLength, before + byteLength - freeBytes);
    this.#paidUntil = Math.max(this.#paidUntil, now) + (charged / bytesPerSecond) * 1_000;
    await wait(this.#paidUntil - now, this.#signal);
  }
}

/** Waits for a time, or until the signal is aborted. The caller reads from the signal which of them it was. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
