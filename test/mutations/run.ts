/**
 * Applies each mutation of the table by itself, runs the suite that has to notice it, and prints which suite killed
 * which mutation. The exit code is 1 where a mutation survives without a justification, or could not be tried.
 *
 *     npm run test:mutations                  all of them
 *     npm run test:mutations -- retry share   those whose file or suite contains one of the words
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { applyMutation, mutations, type Mutation } from './mutations.js';

type Verdict = 'killed' | 'survived' | 'justified' | 'not tried';
type SuiteResult = 'green' | 'red' | 'no test ran';

const root = fileURLToPath(new URL('../..', import.meta.url));
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const folder = mkdtempSync(join(tmpdir(), 'mutations-'));
const cleanResults = new Map<string, SuiteResult>();

/** Runs a suite, on mutated sources or on those that stand in the tree. */
async function runSuite(suite: string, mutation?: Mutation): Promise<SuiteResult> {
  const report = join(folder, 'report.json');
  rmSync(report, { force: true });
  const options = ['--config', 'test/mutations/vitest.config.ts', '--bail', '1', '--reporter', 'json'];
  const child = spawn(process.execPath, [vitest, 'run', ...options, '--outputFile', report, suite], {
    cwd: root,
    env: { ...process.env, ...(mutation && { MUTATION: JSON.stringify(mutation) }) },
    stdio: 'ignore',
  });
  await new Promise((resolve) => child.on('close', resolve));
  if (!existsSync(report)) return 'no test ran';
  const counts = JSON.parse(readFileSync(report, 'utf8')) as { numPassedTests?: number; numFailedTests?: number };
  if ((counts.numFailedTests ?? 0) > 0) return 'red';
  return (counts.numPassedTests ?? 0) > 0 ? 'green' : 'no test ran';
}

/** Only a suite that is green without the mutation can kill it. */
async function isGreen(suite: string): Promise<boolean> {
  const result = cleanResults.get(suite) ?? (await runSuite(suite));
  cleanResults.set(suite, result);
  if (result !== 'green') console.error(`${suite} without a mutation: ${result}`);
  return result === 'green';
}

async function tryMutation(mutation: Mutation): Promise<Verdict> {
  try {
    applyMutation(readFileSync(join(root, mutation.file), 'utf8'), mutation);
  } catch (error) {
    console.error(String(error));
    return 'not tried';
  }
  if (!(await isGreen(mutation.suite))) return 'not tried';
  const result = await runSuite(mutation.suite, mutation);
  if (result === 'red') return 'killed';
  if (result === 'no test ran') return 'not tried';
  return mutation.justified === undefined ? 'survived' : 'justified';
}

const words = process.argv.slice(2);
const chosen = mutations.filter(
  ({ file, suite }) => words.length === 0 || words.some((word) => file.includes(word) || suite.includes(word)),
);
let failures = 0;
for (const mutation of chosen) {
  const verdict = await tryMutation(mutation);
  if (verdict === 'survived' || verdict === 'not tried') failures++;
  console.log(`${verdict.padEnd(9)} ${mutation.suite}  ${mutation.file}`);
  console.log(`            - ${mutation.find.replaceAll(/\s+/g, ' ')}`);
  console.log(
    `            + ${mutation.replace || '(nothing)'}${mutation.justified ? `  (${mutation.justified})` : ''}`,
  );
}
rmSync(folder, { recursive: true });
console.log(`${chosen.length - failures} of ${chosen.length} mutations are killed or justified.`);
process.exitCode = failures === 0 ? 0 : 1;
