import type { Observable } from 'rxjs';
import { isLambdaStreamError } from '../../errors.js';
import type { PositionedEvent } from '../../log/log-records.js';
import { patienceMs } from './case-bench.js';

/** Returns the code of an error of this package, or any other error unchanged. */
export const codeOf = (error: unknown): unknown => (isLambdaStreamError(error) ? error.code : error);

/** How a consumer's stream ended. */
export interface Ended {
  readonly types: string[];
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly error?: unknown;
}

/** Waits for the end of a consumer's stream. A restart drops the bytes before it. */
export function ended(source: Observable<PositionedEvent>): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const types: string[] = [];
    let bytes: number[] = [];
    const timer = setTimeout(() => reject(new Error('a consumer waits without end')), patienceMs);
    const end = (rest: { error?: unknown }): void => {
      clearTimeout(timer);
      const all = Uint8Array.from(bytes);
      resolve({ types, bytes: all, text: new TextDecoder().decode(all), ...rest });
    };
    source.subscribe({
      next(event) {
        types.push(event.type);
        if (event.type === 'chunk') bytes.push(...event.payload);
        if (event.type === 'retry' && event.mode === 'restart') bytes = [];
      },
      error: (error: unknown) => end({ error }),
      complete: () => end({}),
    });
  });
}
