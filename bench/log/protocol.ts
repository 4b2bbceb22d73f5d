/** What a process of this part does: one writes the streams, others read them. */
export type Role =
  | 'log-producer'
  | 'log-reader'
  | 'late-joiners'
  | 'subscribe-reader'
  | 'xadd-producer'
  | 'xread-reader'
  | 'poll-reader';

export interface Task {
  readonly role: Role;
  readonly port: number;
  readonly streams: number;
  readonly perSecond: number;
  readonly tokenBytes: number;
  /** Consumers of each stream in a process that reads. */
  readonly followers: number;
}

/** The orders to a process that has said `{ ready: true }`. */
export type Order =
  /** Producers: the streams exist now, without a token. Readers: read. Answered by `{ done: true }`. */
  | { readonly order: 'open' }
  /** Producers: tokens come from now on. Readers of 16 MiB: all of them join. */
  | { readonly order: 'go' }
  /** What is counted begins now. */
  | { readonly order: 'measure' }
  | { readonly order: 'report' };

/** What was counted since the order to measure. Lags are in milliseconds, from the source to the consumer. */
export interface Report {
  readonly tokens: number;
  readonly bytes: number;
  readonly cpuMs: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** The key of the large response that late joiners read, and its size. */
export const largeKey = 'large';
export const largeBytes = 16 * 1024 * 1024;
export const lateJoiners = 20;
