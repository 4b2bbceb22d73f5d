import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';

/** The packages whose versions matter for the figures, the most important first. */
const packages = ['@aws-sdk/client-lambda', 'rxjs', 'split2', 'ndjson', 'it-ndjson'];

/** Where and with which versions the figures were measured. It does not tell whose machine it was. */
export interface Surroundings {
  /** The day, as in 2026-03-01. */
  readonly date: string;
  readonly machine: string;
  readonly versions: string;
  /** Processes that wanted to run in the minute before. */
  readonly load: number;
}

/** Describes the machine. Call it before anything is measured, because it reports the load. */
export function describeSurroundings(): Surroundings {
  const version = (folder: string): string => {
    const file = new URL(`../../${folder}package.json`, import.meta.url);
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  };
  const model = cpus()[0]?.model.trim() ?? 'an unknown processor';
  // The build's name is left out, because it would identify the machine.
  const [kernel = ''] = /^\d+\.\d+/.exec(release()) ?? [];
  const gibibytes = (totalmem() / 2 ** 30).toFixed(1);
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${availableParallelism()} × ${model}, ${gibibytes} GiB of memory, ${type()} ${kernel}`,
    versions: [
      `Node ${process.versions.node}`,
      `rx-lambda-stream ${version('')}`,
      ...packages.map((name) => `${name} ${version(`node_modules/${name}/`)}`),
    ].join(', '),
    load: loadavg()[0] ?? 0,
  };
}
