import type { InvocationLogCase } from './log-cases/case-bench.js';
import { sharingCases } from './log-cases/sharing-cases.js';
import { storageCases } from './log-cases/storage-cases.js';

export type { InvocationLogCase, OpenLog } from './log-cases/case-bench.js';

/**
 * What every invocation log has to do: run it against an implementation of `InvocationLog`, with any test runner.
 *
 * The cases need real time, some seconds in all. Each opens logs by `openLog`, which share their storage as processes
 * share a server, and uses a key of its own.
 *
 * @example
 * for (const { name, run } of invocationLogCases) {
 *   test(name, () => run(() => natsLog({ servers })));
 * }
 */
export const invocationLogCases: readonly InvocationLogCase[] = [...storageCases, ...sharingCases];
