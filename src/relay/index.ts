export { createRelay } from './create-relay.js';
export type { Relay, RelayCall, RelayGrant, RelayOptions } from './relay-options.js';
export type { RelayRequest, RelayResponse } from './node-exchange.js';
export { RelayRefusal } from './relay-refusal.js';
