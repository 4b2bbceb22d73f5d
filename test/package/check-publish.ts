/** `npm publish` runs this first: a package whose address, pages and tracker nobody can find is not published. */
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Readonly<Record<string, unknown>>;
const missing = ['repository', 'homepage', 'bugs'].filter((field) => manifest[field] === undefined);
if (missing.length > 0) {
  console.error(`package.json lacks ${missing.join(', ')}: state them before publishing`);
  process.exitCode = 1;
}
