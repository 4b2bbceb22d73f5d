/** One thing that a part of the soak has found. */
export interface Check {
  readonly what: string;
  /** As it is printed. */
  readonly figure: string;
  /** What the figure has to be; absent where it is only told. */
  readonly bound?: string;
  readonly ok: boolean;
}

export const count = (value: number): string => value.toLocaleString('en');
export const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** A figure that is told, and not judged. */
export const told = (what: string, figure: string): Check => ({ what, figure, ok: true });

/** A figure that must be under its bound. NaN is not. */
export function below(what: string, value: number, bound: number, format: (value: number) => string): Check {
  return { what, figure: format(value), bound: `< ${format(bound)}`, ok: value < bound };
}

/** A figure that must not be under its bound. NaN is. */
export function atLeast(what: string, value: number, bound: number, format: (value: number) => string): Check {
  return { what, figure: format(value), bound: `>= ${format(bound)}`, ok: value >= bound };
}

/** A figure that must be this one. */
export function exactly(what: string, value: number | string, expected: number | string): Check {
  const format = (figure: number | string): string => (typeof figure === 'number' ? count(figure) : figure);
  return { what, figure: format(value), bound: `= ${format(expected)}`, ok: value === expected };
}

/** A list of faults that must be empty; the first few are shown. */
export function none(what: string, faults: readonly string[]): Check {
  const shown = faults.slice(0, 3).join('\n  ');
  return { what, figure: faults.length ? `${count(faults.length)}: ${shown}` : '0', bound: '= 0', ok: !faults.length };
}

export interface PartOptions {
  readonly seed: number;
  /** A minute or two for all parts together. */
  readonly short: boolean;
}

/** One part of the soak. It has a process to itself, so that no part's memory hides another's. */
export interface Part {
  readonly name: string;
  /** Left out of the short form. */
  readonly fullOnly?: boolean;
  readonly run: (options: PartOptions) => Promise<Check[]>;
}
