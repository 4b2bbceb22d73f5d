import { assignDefined, excerpt, LambdaStreamError } from './lambda-stream-error.js';

/** A late subscriber of `shareInvocation` asks for a start that is no longer held. */
export class ReplayLimitError extends LambdaStreamError {
  override readonly name = 'ReplayLimitError';
  readonly code = 'replay-limit';
  /** The limit that the shared stream passed before this subscriber came, in bytes. */
  declare readonly maxReplayBytes: number;

  constructor(init: { maxReplayBytes: number }) {
    const { maxReplayBytes } = init;
    super(
      `The shared response has passed maxReplayBytes (${maxReplayBytes} bytes) and cannot be replayed from its ` +
        `start: subscribe earlier, or raise the limit`,
    );
    Object.assign(this, { maxReplayBytes });
  }
}

/** Where in the log a failure happened. */
export interface LogPlace {
  /** The invocation's key. */
  readonly key: string;
  /** The last position that this consumer got; absent where it got nothing. */
  readonly position?: string | undefined;
}

/**
 * What was lost of a logged invocation. `lease`: the process that read the function's response no longer renews its
 * claim. `closed`: that process closed its log, for a deployment, say. `log`: the log lost entries, by a promoted
 * replica or an eviction. `abandoned`: all consumers had left, so that the connection was closed.
 */
export type ProducerLossReason = 'lease' | 'closed' | 'log' | 'abandoned';

const lossTexts: Readonly<Record<ProducerLossReason, string>> = {
  lease: 'the process that read the response no longer renews its lease',
  closed: 'the process that read the response was closed',
  log: 'the log has lost entries',
  abandoned: 'all its consumers had left, and its connection was closed',
};

/**
 * The rest of a logged invocation will not arrive: see {@link ProducerLossReason}.
 *
 * The function may have run, and may still run. To subscribe again with `afterProducerLoss` set to `'restart'`,
 * `'replay'` or `'continue'` invokes it anew.
 */
export class ProducerLostError extends LambdaStreamError {
  override readonly name = 'ProducerLostError';
  readonly code = 'producer-lost';
  /** The invocation's key. */
  declare readonly key: string;
  /** What was lost. */
  declare readonly reason: ProducerLossReason;
  /** The last position that this consumer got; absent where it got nothing. */
  declare readonly position?: string;

  constructor(init: LogPlace & { readonly reason: ProducerLossReason; readonly cause?: unknown }) {
    const { key, reason, position } = init;
    super(
      `The invocation ${placeText(init)} was lost: ${lossTexts[reason]}. ` +
        `The response is not complete, and the function may have run`,
      init,
    );
    assignDefined(this, { key, reason, position });
  }
}

/** The log holds nothing under this key, or has never given the position that was asked for. */
export class UnknownInvocationError extends LambdaStreamError {
  override readonly name = 'UnknownInvocationError';
  readonly code = 'unknown-invocation';
  /** The invocation's key. */
  declare readonly key: string;
  /** The position that was asked for; absent where the call named none. */
  declare readonly position?: string;

  constructor(init: LogPlace) {
    const { key, position } = init;
    super(`The log knows no invocation ${placeText(init)}: it was never started, or its time to live is over`);
    assignDefined(this, { key, position });
  }
}

/** `stopInvocation` ended the invocation. `forgetInvocation` lets its key be invoked again. */
export class InvocationStoppedError extends LambdaStreamError {
  override readonly name = 'InvocationStoppedError';
  readonly code = 'stopped';
  /** The invocation's key. */
  declare readonly key: string;
  /** The last position that this consumer got; absent where it got nothing. */
  declare readonly position?: string;

  constructor(init: LogPlace) {
    const { key, position } = init;
    super(`The invocation ${placeText(init)} was stopped: the response is not complete`);
    assignDefined(this, { key, position });
  }
}

/**
 * The log refuses, or does not answer for three leases: its server is down, out of memory, or lacks a permission. The
 * server's own error is the `cause`.
 *
 * Nobody can say whether the function has run, so `retryInvocation` tries again only with `idempotent: true`, and then
 * with the longer backoff: a cluster that elects a new primary takes seconds.
 */
export class LogUnavailableError extends LambdaStreamError {
  override readonly name = 'LogUnavailableError';
  readonly code = 'log-unavailable';
  /** The invocation's key; absent where the log failed as a whole. */
  declare readonly key?: string;

  /** @param what - What the log did not do, without a full stop. */
  constructor(what: string, init: { readonly key?: string; readonly cause?: unknown } = {}) {
    const { key } = init;
    super(`The invocation log is not available${key === undefined ? '' : ` for ${quote(key)}`}: ${what}`, init);
    assignDefined(this, { key });
  }
}

function placeText({ key, position }: LogPlace): string {
  return position === undefined ? quote(key) : `${quote(key)} at ${position}`;
}

/** Quotes a key, which may come from a stranger. */
function quote(key: string): string {
  return JSON.stringify(excerpt(key));
}
