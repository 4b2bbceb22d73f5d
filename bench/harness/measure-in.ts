import type { ChildProcess } from 'node:child_process';
import { nextMessage } from './processes.js';
import type { Answer, Round } from './serve-rounds.js';

/** Lets a process that serves rounds measure one round. */
export async function measureIn<Result>(child: ChildProcess, task: unknown): Promise<Round<Result>> {
  const answered = nextMessage<Answer<Result>>(child, 'answer');
  child.send({ task });
  const { answer } = await answered;
  if ('failure' in answer) throw new Error(answer.failure);
  return answer.round;
}
