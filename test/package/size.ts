import * as api from '../../src/index.js';
import { bundleForBrowser } from '../support/browser-bundle.js';

/**
 * What each public function may weigh, imported alone: minified and gzipped, in bytes, without the peers.
 *
 * Who raises one says in the commit what the bytes are for.
 */
const budgets: Readonly<Record<string, number>> = {
  invokeWithResponseStream: 7_400,
  decodeText: 1_450,
  splitLines: 2_200,
  parseNdjson: 3_200,
  parseSse: 4_450,
  decodeHttpResponse: 3_610,
  collectResponse: 1_760,
  toSnapshots: 1_965,
  shareInvocation: 2_590,
  retryInvocation: 4_160,
  createRetryBudget: 720,
  classifyInvocationError: 1_840,
  createFlowControl: 930,
  toReadableStream: 670,
  toAsyncIterable: 830,
  observeInvocation: 700,
  'all errors': 1_960,
  'the whole package': 20_600,
  '/angular': 3_850,
};

/** What the project would like some of them to weigh. */
const targets: Readonly<Record<string, number>> = {
  invokeWithResponseStream: 5_000,
  decodeText: 500,
  parseNdjson: 1_200,
  retryInvocation: 2_000,
};

const isError = (name: string): boolean => /^[A-Z]/.test(name) || name === 'isLambdaStreamError';
const names = Object.keys(api);
const groups: [string, readonly string[]][] = [
  ...names.filter((name) => !isError(name)).map((name): [string, string[]] => [name, [name]]),
  ['all errors', names.filter(isError)],
  ['the whole package', names],
];

const figures = await Promise.all(
  groups.map(async ([name, members]) => ({ name, bytes: (await bundleForBrowser(members)).gzipBytes })),
);
figures.push({
  name: '/angular',
  bytes: (await bundleForBrowser([], { application: `export * from './src/angular/index.js'` })).gzipBytes,
});
const format = (bytes: number): string => bytes.toLocaleString('en').padStart(8);

console.log(`${'min + gzip, peers excluded'.padEnd(28)}   bytes    budget    target`);
for (const { name, bytes } of figures) {
  const budget = budgets[name] ?? NaN;
  const isWithin = bytes <= budget;
  const target = targets[name];
  const columns = `${format(bytes)}  ${format(budget)}  ${target === undefined ? '' : format(target)}`;
  console.log(`${name.padEnd(28)}${columns}${isWithin ? '' : '   over its budget'}`);
  // Without a budget too.
  if (!isWithin) process.exitCode = 1;
}
