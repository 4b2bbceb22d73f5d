import fc from 'fast-check';
import { EMPTY, NEVER, Observable, Subject, from, lastValueFrom, of, take, toArray } from 'rxjs';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { LineTooLongError } from '../../src/errors.js';
import type { PayloadSource } from '../../src/shared/payload.js';
import { splitLines, type SplitLinesOptions } from '../../src/decoding/split-lines.js';
import { chunkEvent, completeEvent, headEvent, retryEvent } from '../../src/testing/event-builders.js';
import { fuzzParameters } from '../support/fuzz.js';
import { outcomeNow } from '../support/collect.js';
import { marbles } from '../support/marbles.js';
import { cuts, cutsInTwo, payloads, toItems } from '../support/payload-arbitraries.js';

const utf8 = new TextEncoder();

/** Lines as their definition has them: cut at line feeds, a carriage return before one is no part of the line. */
function referenceLines(bytes: Uint8Array): string[] {
  const lines = new TextDecoder().decode(bytes).split('\n');
  const last = lines.pop();
  const ended = lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  return last === '' || last === undefined ? ended : [...ended, last];
}

/** The byte lengths of the same lines. */
function referenceLengths(bytes: Uint8Array): { offset: number; length: number }[] {
  const lines: { offset: number; length: number }[] = [];
  for (let offset = 0, end; offset < bytes.length; offset = end + 1) {
    end = bytes.indexOf(10, offset);
    if (end < 0) {
      lines.push({ offset, length: bytes.length - offset });
      break;
    }
    lines.push({ offset, length: end - offset - (end > offset && bytes[end - 1] === 13 ? 1 : 0) });
  }
  return lines;
}

function outcome(source: Observable<PayloadSource>, options?: SplitLinesOptions) {
  const { values: lines, end } = outcomeNow(source.pipe(splitLines(options)));
  return { lines, end };
}

/** The bytes of all array buffers after collections: as many as it takes to be satisfied, within reason. */
async function heldBytes(isSatisfied: (bytes: number) => boolean): Promise<number> {
  let bytes = 0;
  // The memory of array buffers is freed beside the collection itself, by the time of a later one.
  for (let round = 0; round < 20; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc?.();
    bytes = process.memoryUsage().arrayBuffers;
    if (round > 2 && isSatisfied(bytes)) break;
  }
  return bytes;
}

describe('splitLines', () => {
  test(
    'emits each line as soon as its end is there',
    marbles((m) => {
      const values = { a: chunkEvent('one\ntw'), b: chunkEvent('o\r'), c: chunkEvent('\nthree') };
      const source = m.cold('  --a----b--c--|', values);
      const subscription = '   ^------------!';
      const result = '         --1-------2--(3|)';

      m.expect(source.pipe(splitLines())).toBeObservable(result, { 1: 'one', 2: 'two', 3: 'three' });
      m.expect(source).toHaveSubscriptions(subscription);
    }),
  );

  test(
    'emits all lines of one chunk in one burst, and nothing for events without payload',
    marbles((m) => {
      const values = { h: headEvent(), a: utf8.encode('1\n\n3\n'), e: chunkEvent(''), c: completeEvent() };
      const source = m.cold<PayloadSource>('h--a------e--(c|)', values);
      m.expect(source.pipe(splitLines())).toBeObservable('---(1e3)-----|', { 1: '1', e: '', 3: '3' });
    }),
  );

  test(
    'neither emits nor completes as long as the source does not',
    marbles((m) => {
      m.expect(NEVER.pipe(splitLines())).toBeObservable('-');
    }),
  );

  test(
    'completes at once with an empty source',
    marbles((m) => {
      m.expect(EMPTY.pipe(splitLines())).toBeObservable('|');
    }),
  );

  test(
    'passes the error of the source on unchanged, without the unfinished line',
    marbles((m) => {
      const source = m.cold<PayloadSource>('--a--#', { a: chunkEvent('x\nunfinished') });
      m.expect(source.pipe(splitLines())).toBeObservable('--x--#');
      m.expect(source).toHaveSubscriptions('^----!');
    }),
  );

  test(
    'unsubscribes from the source when it is unsubscribed from',
    marbles((m) => {
      const source = m.cold<PayloadSource>('--a--a--a--|', { a: chunkEvent('x\n') });
      m.expect(source.pipe(splitLines()), '^-----!').toBeObservable('--x--x-');
      m.expect(source).toHaveSubscriptions('^-----!');
    }),
  );

  test(
    'keeps the unfinished lines of two subscriptions apart',
    marbles((m) => {
      const source = m.hot<PayloadSource>('--a--b--|', { a: chunkEvent('on'), b: chunkEvent('e\n') });
      const result = source.pipe(splitLines());
      m.expect(result).toBeObservable('-----l--|', { l: 'one' });
      m.expect(result, '---^').toBeObservable('-----l--|', { l: 'e' });
    }),
  );

  test(
    'drops the unfinished line on a retry that restarts or continues',
    marbles((m) => {
      const values = {
        a: chunkEvent('1\nun'),
        r: retryEvent({ mode: 'restart' }),
        c: retryEvent({ mode: 'continue' }),
        b: chunkEvent('\ufeff2\n'),
      };
      m.expect(m.cold<PayloadSource>('-ar-b|', values).pipe(splitLines())).toBeObservable('-1--2|');
      m.expect(m.cold<PayloadSource>('-ac-b|', values).pipe(splitLines())).toBeObservable('-1--2|');
    }),
  );

  test(
    'goes on with the unfinished line after a retry that is fresh or replays',
    marbles((m) => {
      const values = {
        a: chunkEvent('o'),
        f: retryEvent({ mode: 'fresh' }),
        r: retryEvent({ mode: 'replay' }),
        b: chunkEvent('k\n'),
      };
      m.expect(m.cold<PayloadSource>('-af-b|', values).pipe(splitLines())).toBeObservable('----l|', { l: 'ok' });
      m.expect(m.cold<PayloadSource>('-ar-b|', values).pipe(splitLines())).toBeObservable('----l|', { l: 'ok' });
    }),
  );

  test('emits the lines of the whole for any cut of any bytes', () => {
    fc.assert(
      fc.property(payloads, cuts, (bytes, cut) => {
        const { lines, end } = outcome(from(toItems(cut(bytes))));
        expect(lines).toEqual(referenceLines(bytes));
        expect(end).toBe('complete');
      }),
      fuzzParameters(1000),
    );
  });

  test('emits the same lines where a terminator, a mark or a character is cut in two', () => {
    const bytes = utf8.encode('\ufeff漢字\r\n\r\n\ufeffnot a mark\n\r🙂\r\r\nlast\r');
    expect(referenceLines(bytes)).toEqual(['漢字', '', '\ufeffnot a mark', '\r🙂\r', 'last\r']);
    for (const chunks of cutsInTwo(bytes)) {
      expect(outcome(from(chunks)).lines).toEqual(referenceLines(bytes));
    }
  });

  test('emits an unterminated last line, and no empty one after a terminator at the end', () => {
    expect(outcome(of(chunkEvent('a\nb'))).lines).toEqual(['a', 'b']);
    expect(outcome(of(chunkEvent('a\nb\n'))).lines).toEqual(['a', 'b']);
    expect(outcome(of(chunkEvent('\ufeff'))).lines).toEqual([]);
  });

  test('errs at the first line past the limit after the lines before it, for any cut', () => {
    fc.assert(
      fc.property(payloads, cuts, fc.integer({ min: 1, max: 12 }), (bytes, cut, maxLineBytes) => {
        const { lines, end } = outcome(from(toItems(cut(bytes))), { maxLineBytes });
        const lengths = referenceLengths(bytes);
        const index = lengths.findIndex(({ length }) => length > maxLineBytes);
        if (index < 0) {
          expect(lines).toEqual(referenceLines(bytes));
          expect(end).toBe('complete');
        } else {
          expect(lines).toEqual(referenceLines(bytes).slice(0, index));
          expect(end).toBeInstanceOf(LineTooLongError);
          expect(end).toMatchObject({ line: index + 1, offset: lengths[index]?.offset, maxLineBytes });
        }
      }),
      fuzzParameters(1000),
    );
  });

  test('counts the bytes of a line without its terminator', () => {
    expect(outcome(of(chunkEvent('12345\r\n12345\n12345')), { maxLineBytes: 5 }).lines).toHaveLength(3);
    expect(outcome(of(chunkEvent('12345\r'), chunkEvent('\n')), { maxLineBytes: 5 }).lines).toEqual(['12345']);
    expect(outcome(of(chunkEvent('€€')), { maxLineBytes: 5 }).end).toBeInstanceOf(LineTooLongError);
    expect(outcome(of(chunkEvent('12345\r')), { maxLineBytes: 5 }).end).toBeInstanceOf(LineTooLongError);
  });

  test('accepts a line of 1 MiB, and no longer one, unless told otherwise', () => {
    const line = new Uint8Array(1_048_577).fill(0x61);
    expect(outcome(of(line.subarray(1))).lines.map((text) => text.length)).toEqual([1_048_576]);
    expect(outcome(of(utf8.encode('first\n'), line)).end).toMatchObject({
      code: 'line-too-long',
      line: 2,
      offset: 6,
      maxLineBytes: 1_048_576,
      message: 'Line 2 (byte 6) is longer than maxLineBytes (1048576 bytes)',
    });
    expect(outcome(of(line), { maxLineBytes: Infinity }).lines.map((text) => text.length)).toEqual([1_048_577]);
  });

  test('stops at the limit of a line of 100 MB and holds no more than the limit', () => {
    const chunk = new Uint8Array(1024).fill(0x61);
    let read = 0;
    function* hundredMegabytes(): Generator<Uint8Array> {
      for (; read < 100_000; read++) yield chunk;
    }
    globalThis.gc?.();
    const before = process.memoryUsage().arrayBuffers;
    const { lines, end } = outcome(from(hundredMegabytes()));
    expect(end).toBeInstanceOf(LineTooLongError);
    expect(lines).toEqual([]);
    expect(read).toBe(1024);
    // The buffer doubles: its last size, and what its earlier sizes left for the collector.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(3 * 1_048_576 + 65_536);
  });

  test('holds no more than the limit while a long line is unfinished', async () => {
    const chunk = new Uint8Array(1024).fill(0x61);
    const source = new Subject<PayloadSource>();
    const before = await heldBytes(() => true);
    const subscription = source.pipe(splitLines()).subscribe();
    for (let sent = 0; sent < 1_048_576; sent += chunk.length) source.next(chunk);
    const limit = before + 1_048_576 + 65_536;
    expect(await heldBytes((bytes) => bytes < limit)).toBeLessThan(limit);
    subscription.unsubscribe();
  });

  test('counts lines and bytes anew after a restart, and on after what was finished after a continue', () => {
    const tooLong = chunkEvent('ok\n123456');
    const before = chunkEvent('one\ntwo\nunf');
    const limit = { maxLineBytes: 5 };
    expect(outcome(of(before, retryEvent({ mode: 'restart' }), tooLong), limit).end).toMatchObject({
      line: 2,
      offset: 3,
    });
    expect(outcome(of(before, retryEvent({ mode: 'continue' }), tooLong), limit).end).toMatchObject({
      line: 4,
      offset: 11,
    });
  });

  test('unsubscribes from the source at a line that is too long', () => {
    const source = new Subject<PayloadSource>();
    let failure: unknown;
    source.pipe(splitLines({ maxLineBytes: 3 })).subscribe({ error: (error: unknown) => (failure = error) });
    source.next(chunkEvent('long'));
    expect(failure).toBeInstanceOf(LineTooLongError);
    expect(source.observed).toBe(false);
  });

  test.each([1, 100])('stops within a chunk, and reads no other, as soon as nobody listens any more: %i', (times) => {
    let read = 0;
    function* endless(): Generator<PayloadSource> {
      for (;;) {
        read++;
        yield chunkEvent('a\nb\nc\n'.repeat(times));
      }
    }
    const received: string[] = [];
    from(endless())
      .pipe(splitLines(), take(2))
      .subscribe((line) => received.push(line));
    expect(received).toEqual(['a', 'b']);
    expect(read).toBe(1);
  });

  test('emits no error for a line behind the one at which nobody listens any more', () => {
    const errors: unknown[] = [];
    const chunks = from([chunkEvent('ok\nfar too long\n'), chunkEvent('and more\n')]);
    chunks.pipe(splitLines({ maxLineBytes: 4 }), take(1)).subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors).toEqual([]);
  });

  test('refuses a wrong limit at the call', () => {
    expect(() => splitLines({ maxLineBytes: 0 })).toThrow(RangeError);
    expect(() => splitLines({ maxLineBytes: NaN })).toThrow(
      'splitLines: maxLineBytes must be a whole number from 1 on, or Infinity, not NaN',
    );
  });

  test('leaves the chunks it was given as they were', async () => {
    const chunk = utf8.encode('a\r\nb');
    await lastValueFrom(of(chunk, chunk).pipe(splitLines(), toArray()));
    expect(chunk).toEqual(utf8.encode('a\r\nb'));
  });

  test('gives an Observable of strings', () => {
    expectTypeOf(EMPTY.pipe(splitLines())).toEqualTypeOf<Observable<string>>();
    // @ts-expect-error -- text has been decoded already
    of('text').pipe(splitLines());
  });
});
