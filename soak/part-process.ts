/** Runs one part in a process of its own and tells its checks by IPC: `part-process.ts NAME OPTIONS`. */
import type { PartOptions } from './check.js';
import { installGauges } from './gauges.js';
import { parts } from './parts/index.js';
import { watchStrays } from './strays.js';

const [name, options = '{}'] = process.argv.slice(2);
const part = parts.find((candidate) => candidate.name === name);
if (part === undefined) throw new Error(`There is no part "${String(name)}"`);

process.on('disconnect', () => process.exit());
installGauges();
watchStrays();
const checks = await part.run(JSON.parse(options) as PartOptions);
process.send?.(checks, () => process.disconnect());
