/** What one stream of the benchmark sends. */
export interface Shape {
  readonly payloadBytes: number;
  readonly events: number;
  /** How many events one HTTP chunk carries. */
  readonly eventsPerWrite: number;
}

/** A shape that is measured against others, and the ratio to the SDK's own loop that the project has set itself. */
export interface ComparedShape extends Shape {
  readonly name: string;
  readonly target: number;
}

export const comparedShapes: readonly ComparedShape[] = [
  { name: '16 B, single', payloadBytes: 16, events: 100_000, eventsPerWrite: 1, target: 4 },
  { name: '16 B, batched', payloadBytes: 16, events: 200_000, eventsPerWrite: 400, target: 10 },
  { name: '1 KiB, batched', payloadBytes: 1024, events: 100_000, eventsPerWrite: 60, target: 4 },
  { name: '16 KiB', payloadBytes: 16 * 1024, events: 12_000, eventsPerWrite: 1, target: 1.3 },
  { name: '64 KiB', payloadBytes: 64 * 1024, events: 4_000, eventsPerWrite: 1, target: 1.1 },
];

/** The shapes with large payloads. A contender allocates almost only buffers for them. */
export const largeShapes = comparedShapes.filter(({ payloadBytes }) => payloadBytes >= 16 * 1024);

/** Returns the title of a shape's rows. */
export function titleOf({ name }: ComparedShape, heapMiB = 0): string {
  return `events of ${name}${heapMiB > 0 ? `, ${heapMiB} MiB of objects held` : ''}`;
}

/** Returns the name of the function that sends this shape. */
export function functionOf({ payloadBytes, events, eventsPerWrite }: Shape): string {
  return `shape-${payloadBytes}-${events}-${eventsPerWrite}`;
}

/** Returns the shape that the function of this name sends. Returns undefined for any other function. */
export function shapeOf(functionName: string): Shape | undefined {
  const [, payloadBytes, events, eventsPerWrite] = /^shape-(\d+)-(\d+)-(\d+)$/.exec(functionName) ?? [];
  if (payloadBytes === undefined) return undefined;
  return { payloadBytes: Number(payloadBytes), events: Number(events), eventsPerWrite: Number(eventsPerWrite) };
}
