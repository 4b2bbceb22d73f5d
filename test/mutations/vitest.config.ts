import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';
import base from '../../vitest.config.js';
import { applyMutation, type Mutation } from './mutations.js';

/** Changes the mutated file while it is loaded, so that the tree itself stays as it is. */
function mutate(mutation: Mutation): Plugin {
  const path = fileURLToPath(new URL(`../../${mutation.file}`, import.meta.url));
  return {
    name: 'mutate',
    enforce: 'pre',
    transform(code, id) {
      return id.split('?', 1)[0] === path ? { code: applyMutation(code, mutation), map: null } : undefined;
    },
  };
}

const isNodeProject = (project: unknown): boolean => (project as { test?: { name?: unknown } }).test?.name === 'node';
const node = base.test?.projects?.find(isNodeProject);
if (typeof node !== 'object' || !('test' in node)) throw new Error('The vitest configuration has no project "node".');

const { MUTATION } = process.env;

export default defineConfig({
  ...node,
  root: fileURLToPath(new URL('../..', import.meta.url)),
  // The cache of transformed files does not know one mutation from another.
  test: { ...node.test, fsModuleCache: false, testTimeout: 120_000 },
  plugins: MUTATION === undefined ? [] : [mutate(JSON.parse(MUTATION) as Mutation)],
});
