import { describe, expect, it } from 'vitest';
import * as api from '../../src/index.js';
import { bundleForBrowser } from '../support/browser-bundle.js';

const functions = Object.keys(api).filter((name) => /^[a-z]/.test(name));

// The private files that operators share; what else an operator brings is its own.
const errors = 'src/errors.ts';
const items = 'src/shared/payload.ts';
const payload = ['src/decoding/decode-payload.ts', items];
const limits = 'src/shared/check-options.ts';
const lines = 'src/decoding/line-decoder.ts';
const records = 'src/decoding/record-parser.ts';
const bytes = 'src/shared/byte-collector.ts';
const transform = 'src/decoding/transform-items.ts';
const classes = ['src/retry/classify-invocation-error.ts', 'src/retry/exception-table.ts', 'src/retry/retry-after.ts'];

/** All files of which code comes along with a function; the way of the data is listed by its rooms. */
const filesOf: Readonly<Record<string, readonly string[]>> = {
  invokeWithResponseStream: [
    errors,
    'src/event-stream/*',
    'src/invoke/*',
    'src/shared/bytes.ts',
    'src/shared/defined.ts',
    'src/shared/json.ts',
  ],
  decodeText: [errors, ...payload, 'src/decoding/decode-text.ts'],
  splitLines: [errors, ...payload, limits, lines, 'src/decoding/split-lines.ts'],
  parseNdjson: [errors, ...payload, limits, lines, records, 'src/decoding/parse-ndjson.ts'],
  parseSse: [
    errors,
    ...payload,
    limits,
    records,
    'src/decoding/event-scanner.ts',
    'src/decoding/parse-sse.ts',
    'node_modules/eventsource-parser/dist/index.js',
  ],
  decodeHttpResponse: [
    errors,
    items,
    bytes,
    transform,
    'src/decoding/decode-http-response.ts',
    'src/decoding/http-prelude.ts',
    'src/decoding/http-response-decoder.ts',
  ],
  collectResponse: [errors, items, bytes, transform, 'src/consumers/collect-response.ts'],
  toSnapshots: [items, 'src/consumers/snapshot-state.ts', 'src/consumers/to-snapshots.ts'],
  shareInvocation: [
    errors,
    bytes,
    'src/consumers/share-relay.ts',
    'src/consumers/replay-log.ts',
    'src/consumers/share-invocation.ts',
  ],
  retryInvocation: [
    errors,
    ...classes,
    'src/retry/backoff.ts',
    'src/retry/replay-guard.ts',
    'src/retry/retry-invocation.ts',
    'src/retry/running-hash.ts',
  ],
  createRetryBudget: ['src/retry/retry-budget.ts'],
  classifyInvocationError: classes,
  createFlowControl: ['src/consumers/flow-control.ts'],
  isLambdaStreamError: [errors],
};

describe('imported alone', () => {
  it.each(functions)('%s brings in its own files, and no other function’s', async (name) => {
    const { inputs, warnings } = await bundleForBrowser([name]);
    const files = new Set(inputs.map((path) => path.replace(/^src\/(event-stream|invoke)\/.*$/, 'src/$1/*')));
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
