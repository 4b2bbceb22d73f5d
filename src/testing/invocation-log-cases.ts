import type { InvocationLogCase } from './log-cases/case-bench.js';
import { claimCases } from './log-cases/claim-cases.js';
import { endCases } from './log-cases/end-cases.js';
import { entryCases } from './log-cases/entry-cases.js';
import { sharingCases } from './log-cases/sharing-cases.js';
import { watchCases } from './log-cases/watch-cases.js';

export type { InvocationLogCase, OpenLog } from './log-cases/case-bench.js';

/**
 * Test cases for every implementation of `InvocationLog`. Any test runner can run them.
 *
 * The cases take some seconds of real time. Each case opens several logs by `openLog`. These must share their storage,
 * as processes share a server. Each case uses a key of its own.
 *
 * @example
 * for (const { name, run } of invocationLogCases) {
 *   test(name, () => run(() => natsLog({ servers })));
 * }
 */
export const invocationLogCases: readonly InvocationLogCase[] = [
  ...claimCases,
  ...entryCases,
  ...endCases,
  ...watchCases,
  ...sharingCases,
];
