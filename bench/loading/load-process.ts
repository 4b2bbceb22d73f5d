/**
 * A process that loads the SDK, RxJS and then the built core, and reports how long each took: its argument is the
 * format. Each process loads them once, because a second import costs nothing.
 */
import { createRequire } from 'node:module';

export type Format = 'esm' | 'cjs';

/** What loading took, in milliseconds. */
export interface Loaded {
  readonly sdkMs: number;
  /** The core alone: its peers were loaded before. */
  readonly coreMs: number;
}

/** The built core by format, seen from where the benchmark's scripts are compiled to. */
const built: Readonly<Record<Format, URL>> = {
  esm: new URL('../../../dist/index.js', import.meta.url),
  cjs: new URL('../../../dist/index.cjs', import.meta.url),
};

const format = process.argv[2] as Format;
const require = createRequire(import.meta.url);
const load: Readonly<Record<Format, (specifier: string | URL) => unknown>> = {
  esm: (specifier) => import(String(specifier)),
  cjs: (specifier) => require(specifier instanceof URL ? specifier.pathname : specifier) as unknown,
};

async function msToLoad(specifier: string | URL): Promise<number> {
  const start = performance.now();
  await load[format](specifier);
  return performance.now() - start;
}

const sdkMs = await msToLoad('@aws-sdk/client-lambda');
await msToLoad('rxjs');
const coreMs = await msToLoad(built[format]);
process.send?.({ sdkMs, coreMs } satisfies Loaded);
process.disconnect();
