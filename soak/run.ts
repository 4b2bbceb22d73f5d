/**
 * `npm run soak`: load and leaks, with the real client over real HTTP. Each part is a process of its own, and each has
 * its endpoint in another one. Ends with 1 where a check fails.
 *
 * `-- --short` takes a minute or two; `-- --seed 42` repeats the fates of a run; `-- --part text` runs the parts with
 * that in their name.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { from, lastValueFrom, mergeMap, toArray } from 'rxjs';
import type { Check, Part, PartOptions } from './check.js';
import { parts } from './parts/index.js';

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    seed: { type: 'string' },
    part: { type: 'string', default: '' },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isInteger(seed)) throw new Error(`--seed takes a whole number, not ${String(values.seed)}`);

/** How long a part may take before it counts as hanging, in milliseconds. */
const patienceMs = 45 * 60_000;

/** Runs a part in its own process. One that dies or hangs has failed. */
function runPart(part: Part, options: PartOptions): Promise<Check[]> {
  const file = fileURLToPath(new URL('./part-process.ts', import.meta.url));
  const child = fork(file, [part.name, JSON.stringify(options)], {
    execArgv: [...process.execArgv, '--expose-gc'],
    // The SDK's notice about this version of Node does not count. Every other warning is a fault.
    env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  });
  return new Promise((resolve) => {
    let checks: Check[] | undefined;
    let overdue = false;
    const timer = setTimeout(() => {
      overdue = true;
      child.kill();
    }, patienceMs);
    child.on('message', (message: Check[]) => (checks = message));
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      const how = overdue ? 'it hung' : `it ended with ${String(code ?? signal)}`;
      resolve(code === 0 && checks ? checks : [{ what: 'runs to its end', figure: how, ok: false }]);
    });
  });
}

function print({ what, figure, bound = '', ok }: Check): void {
  const mark = ok ? (bound ? 'ok' : '') : 'FAIL';
  // A long figure that is as it has to be is printed once.
  const suffix = ok && bound === `= ${figure}` && figure.length > 14 ? '(as it has to be)' : bound;
  console.log(`  ${mark.padEnd(4)} ${what.padEnd(66)} ${figure.padStart(14)}  ${suffix}`.trimEnd());
}

const chosen = parts.filter(({ name, fullOnly }) => name.includes(values.part) && !(values.short && fullOnly));
console.log(`Soak, ${values.short ? 'short' : 'full'} form, --seed ${seed}, Node ${process.versions.node}`);
/** The short form is for CI, where a second core is idle otherwise. */
const partsAtATime = values.short ? 2 : 1;
const results = await lastValueFrom(
  from(chosen).pipe(
    mergeMap(async (part) => {
      const start = performance.now();
      const checks = await runPart(part, { seed, short: values.short });
      console.log(`… ${part.name}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
      return [part, checks] as const;
    }, partsAtATime),
    toArray(),
  ),
  { defaultValue: [] },
);
results.sort(([a], [b]) => parts.indexOf(a) - parts.indexOf(b));

for (const [part, checks] of results) {
  console.log(`\n${part.name}`);
  for (const check of checks) print(check);
}
const all = results.flatMap(([{ name }, checks]) => checks.map((check) => ({ name, ...check })));
const failed = all.filter(({ ok }) => !ok);
const checked = all.filter(({ bound }) => bound !== undefined).length;
if (failed.length === 0 && checked > 0) {
  console.log(`\n${checked} checks passed`);
} else {
  console.log(`\n${failed.length} checks failed, of ${checked} (repeat with --seed ${seed}):`);
  for (const { name, what, figure, bound = '' } of failed) console.log(`- ${name}: ${what}: ${figure} ${bound}`);
  process.exitCode = 1;
}
