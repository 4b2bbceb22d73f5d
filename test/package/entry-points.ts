import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Manifest {
  readonly exports: Readonly<Record<string, { readonly require?: unknown } | string>>;
}

const path = fileURLToPath(new URL('../../package.json', import.meta.url));
const { exports } = JSON.parse(readFileSync(path, 'utf8')) as Manifest;

/** What an application may import, as package.json states it. */
export const entryPoints = Object.entries(exports)
  .filter(([key]) => key !== './package.json')
  .map(([key, conditions]) => ({
    /** As an application writes it. */
    name: key.replace('.', 'rx-lambda-stream'),
    /** The files' name in dist, without an extension. */
    file: key === '.' ? 'index' : key.slice(2),
    hasCommonJs: typeof conditions === 'object' && 'require' in conditions,
  }));
