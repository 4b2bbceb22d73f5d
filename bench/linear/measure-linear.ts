import type { StreamsTask } from '../events/client-process.js';
import { ours } from '../events/readers.js';
import type { Shape } from '../events/shapes.js';
import { alternate } from '../harness/alternate.js';
import type { Cost } from '../harness/cost.js';
import type { Effort } from '../harness/effort.js';
import { measureIn } from '../harness/measure-in.js';
import { medianOf } from '../harness/median.js';
import { withProcesses } from '../harness/processes.js';
import { oursUnlimited } from '../ndjson/contenders.js';
import type { ParserTask } from '../ndjson/parser-process.js';
import {
  nanosecondsCpuPerByte,
  nanosecondsCpuPerEvent,
  nanosecondsCpuPerChunk,
  type Row,
  type Unit,
} from '../results/row.js';
import { startServer } from '../server/start-server.js';

/** Something that grows step by step. The cost of one unit should not change. */
interface Growth<Task> {
  readonly measured: (size: string) => string;
  readonly unit: Unit;
  /** From the smallest to the largest. */
  readonly steps: readonly { readonly size: string; readonly units: number; readonly task: Task }[];
}

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const sizeName = (bytes: number): string => (bytes < mebibyte ? `${bytes / kibibyte} KiB` : `${bytes / mebibyte} MiB`);
const countName = (count: number): string => count.toLocaleString('en');

/** The number of bytes that each step reads in one round. */
const eventsARound = 100_000;
const bytesARound = 64 * mebibyte;
const chunksARound = 100_000;

const streamGrowths: readonly Growth<StreamsTask>[] = [
  {
    measured: (size) => `a stream of ${size} events of 16 B`,
    unit: nanosecondsCpuPerEvent,
    steps: [1_000, 10_000, 100_000, 1_000_000].map((events) => {
      const streams = Math.max(1, eventsARound / events);
      const shape = { payloadBytes: 16, events, eventsPerWrite: 1 };
      return { size: countName(events), units: events * streams, task: { streams, shape } };
    }),
  },
  {
    measured: (size) => `a stream of events of ${size}`,
    unit: nanosecondsCpuPerByte,
    steps: [64 * kibibyte, 256 * kibibyte, mebibyte, 4 * mebibyte].map((payloadBytes) => {
      const shape = { payloadBytes, events: bytesARound / payloadBytes, eventsPerWrite: 1 };
      return { size: sizeName(payloadBytes), units: bytesARound, task: { streams: 1, shape } };
    }),
  },
];

const longLine = (
  chunk: string,
  chunkBytes: number,
  roundBytes: number,
  lines: readonly number[],
): Growth<ParserTask> => ({
  measured: (size) => `NDJSON, one line of ${size} in chunks of ${chunk}`,
  unit: nanosecondsCpuPerByte,
  steps: lines.map((lineBytes) => ({
    size: sizeName(lineBytes),
    units: roundBytes,
    task: { recipe: { kind: 'long line', lineBytes, chunkBytes }, times: roundBytes / lineBytes },
  })),
});

const ndjsonGrowths: readonly Growth<ParserTask>[] = [
  longLine('1 KiB', kibibyte, 32 * mebibyte, [mebibyte, 4 * mebibyte, 16 * mebibyte]),
  longLine('16 B', 16, 4 * mebibyte, [256 * kibibyte, mebibyte, 4 * mebibyte]),
  {
    measured: (size) => `NDJSON, ${size} chunks, a record each`,
    unit: nanosecondsCpuPerChunk,
    steps: [1_000, 10_000, 100_000].map((records) => ({
      size: countName(records),
      units: chunksARound,
      task: { recipe: { kind: 'row a chunk', records }, times: chunksARound / records },
    })),
  },
];

/** Measures that an event, a chunk and a byte cost the same in a long stream as in a short one. */
export function measureLinear({ linearRounds: rounds }: Effort): Promise<Row[]> {
  return withProcesses(async (start) => {
    const { port } = await startServer(start);
    const client = await start(new URL('../events/client-process.ts', import.meta.url), ours, String(port));
    const parser = await start(new URL('../ndjson/parser-process.ts', import.meta.url), oursUnlimited);

    /** Costs by step, in nanoseconds a unit. */
    async function grow<Task>(growth: Growth<Task>, measure: (task: Task) => Promise<number>): Promise<Row[]> {
      const { steps } = growth;
      const samples = await alternate(
        steps.map(({ size }) => size),
        (size) => measure(steps.find((step) => step.size === size)!.task),
        { rounds, warmUps: 1 },
      );
      return toRows(
        growth,
        steps.map(({ size, units }) => (medianOf(samples[size]!, (ms) => ms) * 1e6) / units),
      );
    }

    /** Leaves out the cost of the requests, because a round with short streams sends many more of them. */
    async function streamCpuMs(task: StreamsTask): Promise<number> {
      const none: Shape = { ...task.shape, events: 0 };
      const withEvents: Cost = await measureIn(client, task);
      const without: Cost = await measureIn(client, { ...task, shape: none } satisfies StreamsTask);
      return withEvents.cpuMs - without.cpuMs;
    }

    const rows: Row[] = [];
    for (const growth of streamGrowths) rows.push(...(await grow(growth, streamCpuMs)));
    for (const growth of ndjsonGrowths) {
      rows.push(...(await grow(growth, async (task) => (await measureIn(parser, task)).cpuMs)));
    }
    return rows;
  });
}

/** Compares each step with the smallest. */
function toRows({ measured, unit, steps }: Growth<unknown>, figures: readonly number[]): Row[] {
  return steps.map(({ size }, i) => ({
    measured: measured(size),
    unit,
    ours: figures[i]!,
    ...(i > 0 && { against: { name: `itself at ${steps[0]!.size}`, figure: figures[0]! } }),
    inReadme: i === steps.length - 1 && !measured(size).startsWith('NDJSON'),
  }));
}
