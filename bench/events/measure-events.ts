import { alternate } from '../harness/alternate.js';
import type { Effort } from '../harness/effort.js';
import { measureIn } from '../harness/measure-in.js';
import { medianOf } from '../harness/median.js';
import { startEach, withProcesses } from '../harness/processes.js';
import { eventsPerSecond, microsecondsCpuPerEvent, type Row } from '../results/row.js';
import { startServer } from '../server/start-server.js';
import type { StreamsTask } from './client-process.js';
import { ours, rxjsFrom, sdkLoop } from './readers.js';
import { comparedShapes, largeShapes, titleOf, type ComparedShape } from './shapes.js';

const names = [ours, sdkLoop, rxjsFrom] as const;

/** What a process holds besides, as an application does; V8 adapts its collections to it. */
const heapMiB = 64;

/** Events of every size against the SDK's loop and RxJS's `from`: a process for each, one server for all. */
export function measureEvents({ eventRounds }: Effort): Promise<Row[]> {
  return withProcesses(async (start) => {
    const { port } = await startServer(start);
    const script = new URL('./client-process.ts', import.meta.url);

    async function measureWith(heap: number, shapes: readonly ComparedShape[]): Promise<Row[]> {
      const clients = await startEach(names, (name) => start(script, name, String(port), String(heap)));
      const rows: Row[] = [];
      for (const shape of shapes) {
        const task: StreamsTask = { shape, streams: 1 };
        const costs = await alternate(names, (name) => measureIn(clients[name], task), {
          rounds: eventRounds,
          warmUps: 1,
        });
        const seconds = (name: (typeof names)[number]): number => medianOf(costs[name], ({ wallMs }) => wallMs) / 1000;
        const cpuMs = (name: (typeof names)[number]): number => medianOf(costs[name], (cost) => cost.cpuMs);
        const { target } = shape;
        const measured = titleOf(shape, heap);
        rows.push(
          ...compare({ measured, target, unit: eventsPerSecond }, (name) => shape.events / seconds(name)),
          ...compare(
            { measured, target, unit: microsecondsCpuPerEvent },
            (name) => (cpuMs(name) * 1000) / shape.events,
          ),
        );
      }
      return rows;
    }

    return [...(await measureWith(0, comparedShapes)), ...(await measureWith(heapMiB, largeShapes))];
  });
}

function compare(
  { target, ...row }: Pick<Row, 'measured' | 'unit'> & { readonly target: number },
  figureOf: (name: (typeof names)[number]) => number,
): Row[] {
  const common = { ...row, ours: figureOf(ours) };
  return [
    { ...common, against: { name: sdkLoop, figure: figureOf(sdkLoop) }, target, inReadme: true },
    { ...common, against: { name: rxjsFrom, figure: figureOf(rxjsFrom) } },
  ];
}
