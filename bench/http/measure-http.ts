import { alternate } from '../harness/alternate.js';
import type { Effort } from '../harness/effort.js';
import { measureIn } from '../harness/measure-in.js';
import { medianOf } from '../harness/median.js';
import { startEach, withProcesses } from '../harness/processes.js';
import { megabytesPerSecond, microsecondsCpuPerEvent, type Row } from '../results/row.js';
import { startServer } from '../server/start-server.js';
import type { PlainBody } from './body-path.js';
import { fetchLoop, ours } from './readers.js';

const names = [ours, fetchLoop] as const;
type Name = (typeof names)[number];

const small: PlainBody = { payloadBytes: 16, events: 20_000, eventsPerWrite: 1, isSingly: true };
const large: PlainBody = { payloadBytes: 64 * 1024, events: 8_000, eventsPerWrite: 1 };

/** The ratio that the project has set itself for large pieces. */
const target = 0.95;

/** HTTP bodies against the platform's own `fetch`: a process for each, one server for both. */
export function measureHttp({ httpRounds: rounds }: Effort): Promise<Row[]> {
  return withProcesses(async (start) => {
    const { port } = await startServer(start);
    const script = new URL('./client-process.ts', import.meta.url);
    const clients = await startEach(names, (name) => start(script, name, String(port)));

    const read = (body: PlainBody) =>
      alternate(names, (name) => measureIn<number>(clients[name], body), { rounds, warmUps: 2 });
    const singly = await read(small);
    // By the pieces that arrived: a reader that falls behind gets several payloads as one.
    const cpuPerPiece = (name: Name): number => medianOf(singly[name], ({ cpuMs, result }) => (cpuMs * 1000) / result);
    const bulk = await read(large);
    const megabytes = (large.events * large.payloadBytes) / 1e6;
    const speed = (name: Name): number => megabytes / (medianOf(bulk[name], ({ wallMs }) => wallMs) / 1000);
    const compare = (figureOf: (name: Name) => number): Pick<Row, 'ours' | 'against'> => ({
      ours: figureOf(ours),
      against: { name: fetchLoop, figure: figureOf(fetchLoop) },
    });
    return [
      {
        measured: 'an HTTP body, 16 B a write',
        unit: microsecondsCpuPerEvent,
        ...compare(cpuPerPiece),
        inReadme: true,
      },
      {
        measured: 'an HTTP body of 64 KiB chunks',
        unit: megabytesPerSecond,
        ...compare(speed),
        target,
        inReadme: true,
      },
    ];
  });
}
