import { exitCodes } from '../command-line.js';

/** What ends `serve`. */
export interface Stop {
  /** Resolves at the first Ctrl-C or SIGTERM, or when the reader of the output has left. */
  readonly requested: Promise<void>;
  readonly isRequested: () => boolean;
  /** Gives signals their ordinary meaning back. */
  readonly release: () => void;
}

/** Listens for what ends `serve`. A second signal ends the process at once. */
export function listenForStop(): Stop {
  const { stdout, stderr } = process;
  let isRequested = false;
  let resolveRequested!: () => void;
  const requested = new Promise<void>((resolve) => (resolveRequested = resolve));
  const stop = (): void => {
    isRequested = true;
    resolveRequested();
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isRequested) process.exit(signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated);
    stop();
  };
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE') stop();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  for (const stream of [stdout, stderr]) stream.on('error', onOutputError);
  return {
    requested,
    isRequested: () => isRequested,
    release: () => {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
      for (const stream of [stdout, stderr]) stream.off('error', onOutputError);
    },
  };
}
