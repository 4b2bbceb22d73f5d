import type { Answer } from './answer';

/** A question and its answer. */
export interface Turn {
  readonly id: number;
  readonly question: string;
  readonly answer: Answer;
  /** Stopped, or left for another question, before the answer's end. */
  readonly stopped: boolean;
}

/** Whether the answer may still change. */
export function isLive({ answer, stopped }: Turn): boolean {
  return !stopped && answer.status !== 'complete' && answer.status !== 'failed';
}
