import type { Check } from './check.js';

export interface PartOptions {
  readonly seed: number;
  /** Under a minute for all parts together. */
  readonly short: boolean;
}

/** One part of the soak. It has a process to itself, so that no part's memory hides another's. */
export interface Part {
  readonly name: string;
  /** Left out of the short form. */
  readonly fullOnly?: boolean;
  readonly run: (options: PartOptions) => Promise<Check[]>;
}
