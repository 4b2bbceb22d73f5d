import { describe, expect, it } from 'vitest';
import * as api from '../../src/index.js';
import { bundleForBrowser } from '../support/browser-bundle.js';

const functions = Object.keys(api).filter((name) => /^[a-z]/.test(name));

/** What any function may bring: the ground floor. */
const isGround = (path: string): boolean => /^src\/(shared\/|[a-z-]+\.ts$)/.test(path);

/** All other files of which code comes along with a function; the way of the data is listed by its rooms. */
const filesOf: Readonly<Record<string, readonly string[]>> = {
  classifyInvocationError: [
    'src/retry/classify-invocation-error.ts',
    'src/retry/exception-table.ts',
    'src/retry/network-failures.ts',
    'src/retry/retry-after.ts',
  ],
  collectResponse: ['src/consumers/collect-response.ts'],
  createFlowControl: ['src/consumers/flow-control.ts'],
  createRetryBudget: ['src/retry/retry-budget.ts'],
  decodeHttpResponse: [
    'src/decoding/decode-http-response.ts',
    'src/decoding/held-events.ts',
    'src/decoding/http-prelude.ts',
    'src/decoding/http-response-decoder.ts',
  ],
  decodeText: ['src/decoding/decode-text.ts'],
  invokeWithResponseStream: ['src/event-stream/*', 'src/invoke/*'],
  isLambdaStreamError: [],
  observeInvocation: ['src/consumers/observe-invocation.ts'],
  parseNdjson: [
    'src/decoding/line-decoder.ts',
    'src/decoding/line-positions.ts',
    'src/decoding/parse-ndjson.ts',
    'src/decoding/record-judge.ts',
    'src/decoding/record-options.ts',
    'src/decoding/record-parser.ts',
  ],
  parseSse: [
    'node_modules/eventsource-parser/dist/index.js',
    'src/decoding/event-scanner.ts',
    'src/decoding/parse-sse.ts',
    'src/decoding/record-judge.ts',
    'src/decoding/record-options.ts',
    'src/decoding/record-parser.ts',
    'src/decoding/sse-decoder.ts',
  ],
  retryInvocation: [
    'src/retry/backoff.ts',
    'src/retry/classify-invocation-error.ts',
    'src/retry/exception-table.ts',
    'src/retry/network-failures.ts',
    'src/retry/replay-guard.ts',
    'src/retry/retry-after.ts',
    'src/retry/retry-invocation.ts',
    'src/retry/retry-options.ts',
    'src/retry/running-hash.ts',
  ],
  shareInvocation: ['src/consumers/fan-out.ts', 'src/consumers/replay-buffer.ts', 'src/consumers/share-invocation.ts'],
  splitLines: ['src/decoding/line-decoder.ts', 'src/decoding/line-positions.ts', 'src/decoding/split-lines.ts'],
  toAsyncIterable: ['src/consumers/to-async-iterable.ts'],
  toReadableStream: ['src/consumers/to-readable-stream.ts'],
  toSnapshots: ['src/consumers/snapshot-state.ts', 'src/consumers/to-snapshots.ts'],
};

describe('imported alone', () => {
  it.each(functions)('%s brings in its own files, and no other function’s', async (name) => {
    const { inputs, warnings } = await bundleForBrowser([name]);
    const files = new Set(
      inputs
        .filter((path) => !isGround(path))
        .map((path) => path.replace(/^src\/(event-stream|invoke)\/.*$/, 'src/$1/*')),
    );
    expect([...files].sort()).toEqual([...(filesOf[name] ?? [])].sort());
    expect(warnings).toEqual([]);
  });

  it('an operator brings in the error classes that it throws, and no others', async () => {
    const { code } = await bundleForBrowser(['decodeText']);
    const names = Object.keys(api).filter((name) => name.endsWith('Error') && code.includes(`"${name}"`));
    expect(names).toEqual(['DetachedPayloadError', 'InvalidTextError']);
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

  it('all of the package names nothing of Node, but for two looks behind a question mark', async () => {
    const { code } = await bundleForBrowser(Object.keys(api));
    const looks = ['zlib', 'async_hooks'].map((id) => `globalThis.process?.getBuiltinModule?.("node:${id}")`);
    for (const look of looks) expect(code.split(look)).toHaveLength(2);
    expect(looks.reduce((rest, look) => rest.replace(look, ''), code)).not.toMatch(
      /node:|\bBuffer\b|\bprocess\??\.|\brequire\(|\bsetImmediate\b|\b__dirname\b/,
    );
  });
});
