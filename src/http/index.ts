export {
  fetchResponseStream,
  type FetchFunction,
  type FetchResponseStream,
  type FetchResponseStreamOptions,
} from './fetch-response-stream.js';
export type { FetchTarget, FetchTargetSource } from './fetch-target.js';
export type { ReconnectOptions } from './reconnect.js';
export {
  relayedInvoke,
  type RelayedInvocationOptions,
  type RelayedInvoke,
  type RelayedInvokeOptions,
  type RelayPosition,
} from './relayed-invoke.js';
export type { RelayFetch, RelayHeaders } from './relay-request.js';
