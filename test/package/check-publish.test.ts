import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('./check-publish.ts', import.meta.url));
const tsx = fileURLToPath(new URL('../../node_modules/tsx/dist/cli.mjs', import.meta.url));

function publish(manifest: object): { status: number | null; stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), 'rx-lambda-stream-publish-'));
  try {
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    const { status, stderr } = spawnSync(process.execPath, [tsx, script], { cwd: folder, encoding: 'utf8' });
    return { status, stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('a publish without an address, pages or a tracker fails and names what is missing', () => {
  const { status, stderr } = publish({ name: 'a', homepage: 'https://a.example' });
  expect(status).toBe(1);
  expect(stderr).toContain('package.json lacks repository, bugs');
});

it('a publish with all three passes', () => {
  expect(publish({ repository: 'a', homepage: 'b', bugs: 'c' }).status).toBe(0);
});
