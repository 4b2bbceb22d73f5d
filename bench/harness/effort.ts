/** How long the parts measure. */
export interface Effort {
  readonly eventRounds: number;
  readonly latencyRounds: number;
  readonly httpRounds: number;
  readonly ndjsonRounds: number;
  readonly linearRounds: number;
  readonly crc32Rounds: number;
  readonly loadingRounds: number;
  readonly concurrencyRounds: number;
  /** How long the concurrent streams are measured in a round, in seconds. */
  readonly concurrencySeconds: number;
  readonly logRounds: number;
  /** How long streams of the log are measured in a round, in seconds. */
  readonly logSeconds: number;
  readonly relayRounds: number;
  /** How long the relay's clients are measured in a round, in seconds. */
  readonly relaySeconds: number;
}

/** For figures to publish. */
export const full: Effort = {
  eventRounds: 11,
  latencyRounds: 30,
  httpRounds: 11,
  ndjsonRounds: 25,
  linearRounds: 5,
  crc32Rounds: 7,
  loadingRounds: 21,
  concurrencyRounds: 3,
  concurrencySeconds: 10,
  logRounds: 3,
  logSeconds: 6,
  relayRounds: 5,
  relaySeconds: 10,
};

/** For trying it out. */
export const quick: Effort = {
  eventRounds: 1,
  latencyRounds: 5,
  httpRounds: 1,
  ndjsonRounds: 3,
  linearRounds: 1,
  crc32Rounds: 1,
  loadingRounds: 3,
  concurrencyRounds: 1,
  concurrencySeconds: 2,
  logRounds: 1,
  logSeconds: 3,
  relayRounds: 1,
  relaySeconds: 3,
};
