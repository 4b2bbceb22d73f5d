/** The function that streams this many 16-byte tokens a second until it is told to finish. */
export const pacedFunction = (tokensPerSecond: number): string => `paced-${tokensPerSecond}`;

/** How many tokens a second the function of this name streams; undefined for any other function. */
export function paceOf(functionName: string): number | undefined {
  const [, tokensPerSecond] = /^paced-([\d.]+)$/.exec(functionName) ?? [];
  return tokensPerSecond === undefined ? undefined : Number(tokensPerSecond);
}

/** Ends all paced streams. */
export const finishPath = '/finish';

/** The answer to {@link finishPath}, as JSON. */
export interface PaceReport {
  /** Tokens that were written to all streams. */
  readonly written: number;
  /** What the server's process took since its first token. */
  readonly cpuSecondsPerSecond: number;
}
