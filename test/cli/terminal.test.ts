import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { formatBytes } from '../../src/cli/format-bytes.js';
import { paintFor } from '../../src/cli/paint.js';
import { startProgress } from '../../src/cli/invoke/progress.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** As much of a terminal as the progress needs. */
function terminal(isTTY: boolean): { written: string[]; stream: NodeJS.WriteStream } {
  const written: string[] = [];
  const stream = { isTTY, write: (text: string) => written.push(text) > 0 };
  return { written, stream: stream as unknown as NodeJS.WriteStream };
}

test('colours are for terminals, and not where NO_COLOR is set', () => {
  expect(paintFor({ isTTY: true }, {})('red', 'a')).toBe('\u001b[31ma\u001b[0m');
  expect(paintFor({ isTTY: true }, { NO_COLOR: '1' })('red', 'a')).toBe('a');
  expect(paintFor({ isTTY: false }, {})('red', 'a')).toBe('a');
  expect(paintFor({}, {})('red', 'a')).toBe('a');
});

test('a long stream shows its bytes on the terminal, and takes them off it at the end', () => {
  const { written, stream } = terminal(true);
  const progress = startProgress(stream, false);
  progress.add(1_500);
  vi.advanceTimersByTime(400);
  expect(written).toEqual([]);
  vi.advanceTimersByTime(200);
  expect(written.at(-1)).toContain('1.5 kB in 0.');
  progress.stop();
  expect(written.at(-1)).toBe('\r\u001b[K');
  const count = written.length;
  vi.advanceTimersByTime(1_000);
  expect(written).toHaveLength(count);
});

test('a short stream shows nothing at all', () => {
  const { written, stream } = terminal(true);
  const progress = startProgress(stream, false);
  vi.advanceTimersByTime(300);
  progress.stop();
  expect(written).toEqual([]);
});

test('nothing is shown where stderr is no terminal, or where the stream itself is on it', () => {
  for (const [isTTY, stdoutIsTerminal] of [
    [false, false],
    [true, true],
  ] as const) {
    const { written, stream } = terminal(isTTY);
    const progress = startProgress(stream, stdoutIsTerminal);
    progress.add(1);
    vi.advanceTimersByTime(2_000);
    progress.stop();
    expect(written).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  }
});

test('bytes are for people', () => {
  expect([0, 999, 1_000, 1_550_000, 2_000_000_000, 5e12].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '1.6 MB',
    '2.0 GB',
    '5000.0 GB',
  ]);
});
