import { spawn } from 'node:child_process';
import { root } from './markdown-page.js';

/** Builds the documentation site into a folder, as `npm run docs` does. Resolves with what TypeDoc has printed. */
export async function buildSite(folder: string): Promise<string> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'node_modules/typedoc/bin/typedoc', '--out', folder], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()));
  const status = await new Promise((done) => child.on('close', done));
  if (status !== 0) throw new Error(`TypeDoc ended with ${String(status)}:\n${output}`);
  return output;
}
