/** How fast a response may go: so many bytes at once, then so many a second. */
export interface Bandwidth {
  readonly freeBytes: number;
  readonly bytesPerSecond: number;
}

/** What AWS documents for streamed responses: the first 6 MB uncapped, then 2 MB a second. */
export const awsBandwidth: Bandwidth = { freeBytes: 6 * 1024 * 1024, bytesPerSecond: 2 * 1024 * 1024 };
