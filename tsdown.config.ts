import { defineConfig, type UserConfig } from 'tsdown';

/** The entry points, by the name under which an application imports them. */
const entries = {
  index: 'src/index.ts',
  testing: 'src/testing/index.ts',
  log: 'src/log/index.ts',
  http: 'src/http/index.ts',
  relay: 'src/relay/index.ts',
  redis: 'src/redis/index.ts',
  otel: 'src/otel/index.ts',
  local: 'src/local/index.ts',
  'local/register': 'src/local/register.ts',
};

/** For ES modules alone: Angular has no CommonJS. */
const moduleEntries = { angular: 'src/angular/index.ts' };

const shared = {
  platform: 'neutral',
  target: 'es2022',
  outDir: 'dist',
  sourcemap: true,
  // Once, by the script, before both formats.
  clean: false,
  fixedExtension: false,
  report: false,
  // Node's own modules; packages are external because package.json names them as dependencies or peers.
  deps: { neverBundle: [/^node:/] },
  checks: { bundlerTimings: false },
} satisfies UserConfig;

export default defineConfig([
  { ...shared, entry: { ...entries, ...moduleEntries, 'cli/main': 'src/cli/main.ts' }, format: 'esm', dts: true },
  { ...shared, entry: entries, format: 'cjs', dts: true },
]);
