import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const run = promisify(execFile);
export const root = fileURLToPath(new URL('../../', import.meta.url));

interface PackReport {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/**
 * Installs the packed package into an application's folder, with its peers linked from this tree.
 *
 * @returns The paths of all packed files.
 */
export async function installPacked(folder: string): Promise<string[]> {
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
  });
  const report = JSON.parse(stdout) as Record<string, PackReport> | PackReport[];
  const [pack] = Object.values(report);
  if (pack === undefined) throw new Error('npm pack reported nothing');
  const modules = join(folder, 'node_modules');
  const installed = join(modules, 'rx-lambda-stream');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', join(folder, pack.filename), '-C', installed, '--strip-components=1']);
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) await symlink(join(root, 'node_modules', name), join(modules, name));
  }
  // As npm installs a command.
  await mkdir(join(modules, '.bin'));
  await chmod(join(installed, 'dist/cli/main.js'), 0o755);
  await symlink('../rx-lambda-stream/dist/cli/main.js', join(modules, '.bin/rx-lambda-stream'));
  return pack.files.map(({ path }) => path);
}
