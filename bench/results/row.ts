/** What a figure counts, and which way it is better. */
export interface Unit {
  readonly name: string;
  readonly better: 'more' | 'less';
}

export const eventsPerSecond: Unit = { name: 'events/s', better: 'more' };
export const megabytesPerSecond: Unit = { name: 'MB/s', better: 'more' };
export const microsecondsCpuPerEvent: Unit = { name: 'µs CPU per event', better: 'less' };
export const microsecondsCpuPerClient: Unit = { name: 'µs CPU per client and token', better: 'less' };
export const nanosecondsCpuPerEvent: Unit = { name: 'ns CPU per event', better: 'less' };
export const nanosecondsCpuPerByte: Unit = { name: 'ns CPU per byte', better: 'less' };
export const nanosecondsCpuPerChunk: Unit = { name: 'ns CPU per chunk', better: 'less' };
export const nanosecondsCpuPerCall: Unit = { name: 'ns CPU per call', better: 'less' };
export const microsecondsCpuPerToken: Unit = { name: 'µs CPU per token', better: 'less' };
export const microsecondsCpuPerFollower: Unit = { name: 'µs CPU per token and follower', better: 'less' };
export const bytesPerByte: Unit = { name: 'bytes per byte', better: 'less' };
export const milliseconds: Unit = { name: 'ms', better: 'less' };
export const cpuSecondsPerSecond: Unit = { name: 'CPU s per s', better: 'less' };
export const kibibytesPerStream: Unit = { name: 'KiB per stream', better: 'less' };

/** Another's figure. */
export interface Other {
  readonly name: string;
  readonly figure: number;
  /** False where the figures measure different things, so that their ratio says nothing. */
  readonly comparable?: false;
}

/** One line of the results: this package's figure, and another's from the same run. */
export interface Row {
  readonly measured: string;
  readonly unit: Unit;
  /** This package's figure. */
  readonly ours: number;
  readonly against?: Other;
  /** The ratio that the project aims at. */
  readonly target?: number;
  /** Whether docs/benchmark.md shows this row. */
  readonly inReadme?: boolean;
}

export type ComparedRow = Row & { readonly against: Other };

/** Returns how many times better this package is than the other. Below 1 it is worse. */
export function ratioOf({ unit, ours, against }: Row): number | undefined {
  if (against === undefined || against.comparable === false) return undefined;
  return unit.better === 'more' ? ours / against.figure : against.figure / ours;
}
