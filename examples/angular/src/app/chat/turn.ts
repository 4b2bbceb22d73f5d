import type { Snapshot } from 'rx-lambda-stream';

/** A question and its answer. */
export interface Turn {
  readonly id: string;
  readonly question: string;
  /** The answer as far as it is there. */
  readonly answer: Snapshot;
  /** How often the page was told of the answer so far: at most once a frame, however many chunks come. */
  readonly updates: number;
  /** Stopped, or left for another question, before the answer's end. */
  readonly stopped: boolean;
}

/** Whether the answer may still change. */
export function isLive({ answer, stopped }: Turn): boolean {
  return !stopped && answer.status !== 'complete' && answer.status !== 'failed';
}
