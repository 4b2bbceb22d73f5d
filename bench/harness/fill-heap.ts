/** Holds so much of this process's heap in small objects for as long as it lives, as applications do. */
export function fillHeap(mebibytes: number): void {
  const held: object[] = [];
  while (process.memoryUsage().heapUsed < mebibytes * 2 ** 20) {
    for (let i = 0; i < 10_000; i++) held.push({ number: held.length });
  }
  // A variable that nothing reads would not hold it.
  Object.assign(globalThis, { held });
}
