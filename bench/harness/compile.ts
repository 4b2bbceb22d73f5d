import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));
const compiled = new Map<string, Promise<string>>();

/**
 * Compiles a script of the benchmark, with this package's sources, to plain JavaScript; returns where that is. Other
 * packages stay as they were installed.
 *
 * tsx would set the name of every function where the function is made. That costs this package 4 KiB a stream, and
 * costs its peers nothing.
 */
export function compile(script: URL): Promise<string> {
  const path = fileURLToPath(script);
  const existing = compiled.get(path);
  if (existing !== undefined) return existing;
  const name = path.slice(root.length).replaceAll(/[^\w-]/g, '_');
  const outfile = `${root}node_modules/.cache/rx-lambda-stream-bench/${name}.mjs`;
  const result = build({
    entryPoints: [path],
    outfile,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    tsconfig: `${root}tsconfig.json`,
    logLevel: 'silent',
  }).then(() => outfile);
  compiled.set(path, result);
  return result;
}
