import { alternate } from '../harness/alternate.js';
import type { Effort } from '../harness/effort.js';
import { measureIn } from '../harness/measure-in.js';
import { medianOf } from '../harness/median.js';
import { startEach, withProcesses } from '../harness/processes.js';
import { eventsPerSecond, microsecondsCpuPerEvent, type Row } from '../results/row.js';
import { startServer } from '../server/start-server.js';
import type { StreamsTask } from './client-process.js';
import { ours, rxjsFrom, sdkLoop } from './readers.js';
import { comparedShapes, titleOf, type ComparedShape } from './shapes.js';

const names = [ours, sdkLoop, rxjsFrom] as const;

/** Events of every size against the SDK's loop and RxJS's `from`: a process for each, one server for all. */
export function measureEvents({ eventRounds }: Effort): Promise<Row[]> {
  return withProcesses(async (start) => {
    const { port } = await startServer(start);
    const script = new URL('./client-process.ts', import.meta.url);
    const clients = await startEach(names, (name) => start(script, name, String(port)));
    const rows: Row[] = [];
    for (const shape of comparedShapes) {
      const task: StreamsTask = { shape, streams: 1 };
      const costs = await alternate(names, (name) => measureIn(clients[name], task), {
        rounds: eventRounds,
        warmUps: 1,
      });
      const seconds = (name: (typeof names)[number]): number => medianOf(costs[name], ({ wallMs }) => wallMs) / 1000;
      const cpuMs = (name: (typeof names)[number]): number => medianOf(costs[name], (cost) => cost.cpuMs);
      rows.push(
        ...compare(shape, eventsPerSecond, (name) => shape.events / seconds(name)),
        ...compare(shape, microsecondsCpuPerEvent, (name) => (cpuMs(name) * 1000) / shape.events),
      );
    }
    return rows;
  });
}

function compare(shape: ComparedShape, unit: Row['unit'], figureOf: (name: (typeof names)[number]) => number): Row[] {
  const row = { measured: titleOf(shape), unit, ours: figureOf(ours) };
  return [
    { ...row, against: { name: sdkLoop, figure: figureOf(sdkLoop) }, target: shape.target, inReadme: true },
    { ...row, against: { name: rxjsFrom, figure: figureOf(rxjsFrom) } },
  ];
}
