/** Fills this process's heap with small objects, which live as long as the process, as an application's do. */
export function fillHeap(mebibytes: number): void {
  const held: object[] = [];
  while (process.memoryUsage().heapUsed < mebibytes * 2 ** 20) {
    for (let i = 0; i < 10_000; i++) held.push({ number: held.length });
  }
  // The global keeps the objects alive. A variable that nothing reads would not.
  Object.assign(globalThis, { held });
}
