import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';

/** The packages whose versions the figures hang on, in the order of their importance. */
const packages = ['@aws-sdk/client-lambda', 'rxjs', 'split2', 'ndjson', 'it-ndjson'];

/** What the figures were measured with and on; nothing that tells whose machine it is. */
export interface Surroundings {
  /** The day, as in 2026-03-01. */
  readonly date: string;
  readonly machine: string;
  readonly versions: string;
  /** Processes that wanted to run in the minute before. */
  readonly load: number;
}

/** To be called before anything is measured, for the load's sake. */
export function describeSurroundings(): Surroundings {
  const version = (folder: string): string => {
    const file = new URL(`../../${folder}package.json`, import.meta.url);
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  };
  const model = cpus()[0]?.model.trim() ?? 'an unknown processor';
  // Without the build, which is the machine's own.
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
