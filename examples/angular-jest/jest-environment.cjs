const { TestEnvironment } = require('jest-environment-jsdom');

/** What the SDK and this package use of Node, and jsdom has not. */
const missing = [
  'fetch',
  'Headers',
  'Request',
  'Response',
  'ReadableStream',
  'TransformStream',
  'WritableStream',
].concat(['TextDecoder', 'TextEncoder', 'structuredClone', 'setImmediate', 'clearImmediate']);

/** Of these, jsdom's realm has its own, by which Node's modules do not know bytes and signals. */
const ofNode = ['AbortController', 'AbortSignal', 'ArrayBuffer', 'Blob', 'Uint8Array'];

/** jsdom for components, and Node for what talks to Lambda. */
module.exports = class extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    for (const name of missing) this.global[name] ??= globalThis[name];
    for (const name of ofNode) this.global[name] = globalThis[name];
  }

  /** Without this, jest takes the SDK's files for browsers, which it cannot read: they are ES modules. */
  exportConditions() {
    return ['node', 'node-addons'];
  }
};
