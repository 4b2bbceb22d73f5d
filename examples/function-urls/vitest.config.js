import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path) => fileURLToPath(new URL(`../../src/local/${path}`, import.meta.url));

/** In an application of its own, this is the installed package. */
const alias = [
  { find: /^rx-lambda-stream\/local\/register$/, replacement: source('register.ts') },
  { find: /^rx-lambda-stream\/local$/, replacement: source('index.ts') },
];

export default defineConfig({ resolve: { alias }, test: { testTimeout: 30_000 } });
