import { dirname, join } from 'node:path';
import { readFileSync, realpathSync } from 'node:fs';

/** This package's version, from the package.json above the running script. */
export function readVersion(): string {
  for (let folder = dirname(realpathSync(process.argv[1] ?? '')); ; folder = dirname(folder)) {
    const found = versionIn(join(folder, 'package.json'));
    if (found !== undefined) return found;
    if (folder === dirname(folder)) return 'unknown';
  }
}

function versionIn(file: string): string | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string };
    return name === 'rx-lambda-stream' ? version : undefined;
  } catch {
    // No package.json in this folder: the next one up may have it.
    return undefined;
  }
}
