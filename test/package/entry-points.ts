import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Manifest {
  readonly exports: Readonly<Record<string, unknown>>;
}

const path = fileURLToPath(new URL('../../package.json', import.meta.url));
const { exports } = JSON.parse(readFileSync(path, 'utf8')) as Manifest;

/** What an application may import, as package.json states it. */
export const entryPoints = Object.keys(exports)
  .filter((key) => key !== './package.json')
  .map((key) => ({
    /** As an application writes it. */
    name: key.replace('.', 'rx-lambda-stream'),
    /** The files' name in dist, without an extension. */
    file: key === '.' ? 'index' : key.slice(2),
  }));
