import type { InvocationReport } from '../../index.js';
import { formatBytes, type Paint } from '../terminal.js';

const colours = { complete: 'green', failed: 'red', cancelled: 'yellow' } as const;

/** Describes how an invocation went in one line, for `--stats`. */
export function describeReport(report: InvocationReport, paint: Paint): string {
  const { outcome, attempts, requestIds, executedVersion, headMs, firstChunkMs, durationMs, chunks, bytes } = report;
  const ms = (time: number): string => `${Math.round(time)} ms`;
  const times = [
    ...(headMs === undefined ? [] : [`head ${ms(headMs)}`]),
    ...(firstChunkMs === undefined ? [] : [`first chunk ${ms(firstChunkMs)}`]),
    `end ${ms(durationMs)}`,
  ];
  return [
    paint(colours[outcome], outcome),
    `${formatBytes(bytes)} in ${count(chunks, 'chunk')}`,
    times.join(', '),
    count(attempts, 'attempt'),
    ...(executedVersion === undefined ? [] : [paint('dim', `version ${executedVersion}`)]),
    ...requestIds.map((id) => paint('dim', id)),
  ].join('  ');
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
