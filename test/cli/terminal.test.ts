import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { formatBytes, jsonLine, manyLines, oneLine, paintFor } from '../../src/cli/terminal.js';
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

test('the bytes come back after a line of text took them off the terminal', () => {
  const { written, stream } = terminal(true);
  const progress = startProgress(stream, false);
  vi.advanceTimersByTime(700);
  progress.clear();
  expect(written.at(-1)).toBe('\r\u001b[K');
  progress.add(2_000);
  vi.advanceTimersByTime(100);
  expect(written.at(-1)).toContain('2.0 kB in 0.');
  progress.stop();
  expect(written.at(-1)).toBe('\r\u001b[K');
});

const hostile = ['\0', '\u0007', '\u001b', '\u007f', '\u009b', '\u2028', '\u202e', '\u2066', '\u200f'];

test('control characters are escaped in foreign text, line breaks only where a text is one line', () => {
  for (const character of hostile) {
    const escaped = `a\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}b`;
    expect(oneLine(`a${character}b`)).toBe(escaped);
    expect(manyLines(`a${character}b`)).toBe(escaped);
    expect(paintFor({})('red', `a${character}b`)).toBe(escaped);
  }
  expect(oneLine('a\tb\r\nc')).toBe('a\\tb\\r\\nc');
  expect(manyLines('a\tb\r\nc\rd')).toBe('a\tb\nc\\rd');
  expect(oneLine('é € 😀 ‍')).toBe('é € 😀 ‍');
});

test('a line of JSON holds no control character, and means the same', () => {
  for (const character of hostile) {
    const line = jsonLine({ text: `a${character}b` });
    expect(line).not.toContain(character);
    expect(JSON.parse(line)).toEqual({ text: `a${character}b` });
  }
  expect(jsonLine({ big: 12345678901234567890n })).toBe('{"big":"12345678901234567890"}\n');
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
  expect([999_949, 999_950, 999_999, 999_950_000].map(formatBytes)).toEqual(['999.9 kB', '1.0 MB', '1.0 MB', '1.0 GB']);
});
