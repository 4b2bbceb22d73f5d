import { describe, expect, it } from 'vitest';
import * as api from '../../src/index.js';
import { bundleForBrowser } from '../support/browser-bundle.js';

const functions = Object.keys(api).filter((name) => /^[a-z]/.test(name));

// The private files that operators share; what else an operator brings is its own.
const errors = 'src/errors.ts';
const items = 'src/operators/payload-source.ts';
const payload = ['src/operators/decode-payload.ts', items];
const limits = 'src/operators/check-limits.ts';
const lines = 'src/operators/line-decoder.ts';
const records = 'src/operators/record-parser.ts';
const bytes = 'src/operators/byte-collector.ts';
const transform = 'src/operators/transform-items.ts';
const classes = ['src/retry/classify-invocation-error.ts', 'src/retry/exception-table.ts', 'src/retry/retry-after.ts'];

/** All files of which code comes along with a function; only the core's `wire` is not listed file by file. */
const filesOf: Readonly<Record<string, readonly string[]>> = {
  invokeWithResponseStream: [errors, 'src/invoke-input.ts', 'src/invoke-with-response-stream.ts', 'src/wire/*'],
  decodeText: [errors, ...payload, 'src/operators/decode-text.ts'],
  splitLines: [errors, ...payload, limits, lines, 'src/operators/split-lines.ts'],
  parseNdjson: [errors, ...payload, limits, lines, records, 'src/operators/parse-ndjson.ts'],
  parseSse: [
    errors,
    ...payload,
    limits,
    records,
    'src/operators/event-scanner.ts',
    'src/operators/parse-sse.ts',
    'node_modules/eventsource-parser/dist/index.js',
  ],
  decodeHttpResponse: [
    errors,
    items,
    bytes,
    transform,
    'src/operators/decode-http-response.ts',
    'src/operators/http-prelude.ts',
    'src/operators/http-response-decoder.ts',
  ],
  collectResponse: [errors, items, bytes, transform, 'src/operators/collect-response.ts'],
  toSnapshots: [items, 'src/operators/snapshot-state.ts', 'src/operators/to-snapshots.ts'],
  shareInvocation: [
    errors,
    bytes,
    'src/operators/relay.ts',
    'src/operators/replay-log.ts',
    'src/operators/share-invocation.ts',
  ],
  retryInvocation: [
    errors,
    ...classes,
    'src/retry/backoff.ts',
    'src/retry/delivery.ts',
    'src/retry/retry-invocation.ts',
    'src/retry/running-hash.ts',
  ],
  createRetryBudget: ['src/retry/retry-budget.ts'],
  classifyInvocationError: classes,
  createFlowControl: ['src/flow-control.ts'],
  isLambdaStreamError: [errors],
};

describe('imported alone', () => {
  it.each(functions)('%s brings in its own files, and no other function’s', async (name) => {
    const { inputs, warnings } = await bundleForBrowser([name]);
    const files = new Set(inputs.map((path) => path.replace(/^src\/wire\/.*$/, 'src/wire/*')));
    expect([...files].sort()).toEqual([...(filesOf[name] ?? [])].sort());
    expect(warnings).toEqual([]);
  });

  it('an operator brings in the error classes that it throws, and no others', async () => {
    const { code } = await bundleForBrowser(['decodeText']);
    const names = Object.keys(api).filter((name) => name.endsWith('Error') && code.includes(`"${name}"`));
    expect(names).toEqual(['InvalidTextError']);
  });
});

describe('for browsers', () => {
  it('the core bundles with its peers, without warnings and without polyfills', async () => {
    const { code, inputs, warnings } = await bundleForBrowser(['invokeWithResponseStream'], {
      excludePeers: false,
      application: `export { LambdaClient } from '@aws-sdk/client-lambda';`,
    });
    expect(warnings).toEqual([]);
    expect(inputs.filter((path) => /node-http-handler|\/(buffer|process|stream-browserify)\//.test(path))).toEqual([]);
    expect(inputs.some((path) => path.includes('fetch-http-handler'))).toBe(true);
    expect(code).not.toMatch(/from ?"/);
  });

  it('all of the package names nothing of Node, but for one look behind a question mark', async () => {
    const { code } = await bundleForBrowser(Object.keys(api));
    const look = 'globalThis.process?.getBuiltinModule?.("node:zlib")';
    expect(code.split(look)).toHaveLength(2);
    expect(code.replace(look, '')).not.toMatch(
      /node:|\bBuffer\b|\bprocess\b|\brequire\(|\bsetImmediate\b|\b__dirname\b/,
    );
  });
});
