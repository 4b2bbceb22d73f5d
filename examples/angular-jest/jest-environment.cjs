const { TestEnvironment } = require('jest-environment-jsdom');

/** What the SDK and this package need, and jsdom lacks. */
const missing = [
  'fetch',
  'Headers',
  'Request',
  'Response',
  'ReadableStream',
  'TransformStream',
  'WritableStream',
].concat(['TextDecoder', 'TextEncoder', 'structuredClone', 'setImmediate', 'clearImmediate']);

/** What jsdom has of its own. Node's modules do not recognise bytes and signals that are made with it. */
const ofNode = ['AbortController', 'AbortSignal', 'ArrayBuffer', 'Blob', 'Uint8Array'];

/** jsdom for components, with Node's globals for the client. */
module.exports = class extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    for (const name of missing) this.global[name] ??= globalThis[name];
    for (const name of ofNode) this.global[name] = globalThis[name];
  }

  /** Makes jest take the SDK's files for Node. Those for browsers are ES modules, which jest cannot read. */
  exportConditions() {
    return ['node', 'node-addons'];
  }
};
