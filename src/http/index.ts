export {
  fetchResponseStream,
  type FetchFunction,
  type FetchResponseStream,
  type FetchResponseStreamOptions,
} from './fetch-response-stream.js';
export type { FetchTarget, FetchTargetSource } from './fetch-target.js';
