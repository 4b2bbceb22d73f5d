import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('the example: one machine is killed, the others have the whole story', { timeout: 120_000 }, async () => {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--import', 'tsx', 'examples/many-machines/main.ts']);
  const story = 'Three machines tell one story, and whoever leaves, the others go on at its very next byte.';
  expect(stdout).toContain('is killed');
  expect(stdout).toContain("is told: retry, mode 'replay'");
  expect(stdout).toContain('The function was invoked 2 times.');
  const ends = stdout.split('The function was invoked 2 times.\n')[1]!.trimEnd().split('\n');
  expect(ends.filter((line) => line.trimEnd().endsWith(story))).toHaveLength(2);
  expect(ends.filter((line) => line.includes('(killed)'))).toHaveLength(1);
});
