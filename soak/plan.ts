import type { ScriptStep } from 'rx-lambda-stream/local';

/** What one stream of the soak is to be: sent as the invocation's payload, so that both sides know it. */
export interface Plan {
  /** One of its own for each stream of an endpoint. */
  readonly id: number;
  /** A key of `fates`. */
  readonly fate: string;
  /** How many chunks the whole response has, 1 to 8. */
  readonly chunks: number;
  readonly chunkBytes: number;
  /** How many attempts fail, where some do: 1 or 2. */
  readonly failures: number;
  /** How many streams have to be there before any of them is answered; absent where each is answered by itself. */
  readonly together?: number;
  /** Chunks that the client has already: the cursor of a continued stream. */
  readonly from?: number;
}

/** The text of a stream's n-th chunk, unlike any other's. */
export function chunkText({ id, chunkBytes }: Plan, index: number): string {
  return `${id}/${index}\n`.padEnd(chunkBytes, String.fromCharCode(97 + ((id + index) % 26))).slice(0, chunkBytes);
}

/** The text of some chunks of a stream, all by default. */
export function textOf(plan: Plan, from = 0, to = plan.chunks): string {
  return Array.from({ length: to - from }, (_, n) => chunkText(plan, from + n)).join('');
}

/** The steps that send some chunks of a stream, all by default. */
export function chunkSteps(plan: Plan, from = 0, to = plan.chunks): ScriptStep[] {
  return Array.from({ length: to - from }, (_, n) => ({ chunk: chunkText(plan, from + n) }));
}

/** How many chunks an attempt sends that breaks halfway: one at least. */
export const half = ({ chunks }: Plan): number => Math.ceil(chunks / 2);
