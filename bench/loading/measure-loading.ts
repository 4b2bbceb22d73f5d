import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { alternate } from '../harness/alternate.js';
import type { Effort } from '../harness/effort.js';
import { medianOf } from '../harness/median.js';
import { nextMessage, withProcesses } from '../harness/processes.js';
import { milliseconds, type Row } from '../results/row.js';
import type { Format, Loaded } from './load-process.js';

const titles: Readonly<Record<Format, string>> = { esm: 'ES modules', cjs: 'CommonJS' };
const formats = Object.keys(titles) as Format[];

/** The core may take 0.15 of the time that the SDK takes. */
const target = 6.67;

/** How long an application waits for the built core, beside its wait for the SDK: a new process a round. */
export async function measureLoading({ loadingRounds: rounds }: Effort): Promise<Row[]> {
  await build();
  return withProcesses(async (start) => {
    const script = new URL('./load-process.ts', import.meta.url);
    const samples = await alternate(
      formats,
      async (format) => nextMessage<Loaded>(await start(script, format), 'coreMs'),
      { rounds, warmUps: 1 },
    );
    return formats.map((format) => ({
      measured: `importing the core, ${titles[format]}`,
      unit: milliseconds,
      ours: medianOf(samples[format], ({ coreMs }) => coreMs),
      against: { name: 'importing the SDK', figure: medianOf(samples[format], ({ sdkMs }) => sdkMs) },
      target,
      inReadme: true,
    }));
  });
}

/** Builds the package, so that what is loaded is what these sources become. */
async function build(): Promise<void> {
  await promisify(execFile)('npm', ['run', 'build'], { cwd: fileURLToPath(new URL('../../', import.meta.url)) });
}
