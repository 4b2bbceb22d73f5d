import fc from 'fast-check';
import {
  EMPTY,
  NEVER,
  Subject,
  concat,
  from,
  of,
  take,
  throwError,
  toArray,
  lastValueFrom,
  type Observable,
} from 'rxjs';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { InvalidTextError } from '../../src/errors.js';
import { decodeText } from '../../src/decoding/decode-text.js';
import type { PayloadSource } from '../../src/shared/payload.js';
import { chunkEvent, completeEvent, headEvent, retryEvent } from '../../src/testing/event-builders.js';
import { fuzzParameters } from '../support/fuzz.js';
import { marbles } from '../support/marbles.js';
import { cuts, cutsInTwo, payloads, toItems } from '../support/payload-arbitraries.js';

const utf8 = new TextEncoder();
const euro = utf8.encode('€');

const textOf = async (source: Observable<string>) => (await lastValueFrom(source.pipe(toArray()))).join('');

describe('decodeText', () => {
  test(
    'holds the bytes of a split character back',
    marbles((m) => {
      const values = { a: chunkEvent(euro.slice(0, 1)), b: chunkEvent(euro.slice(1, 2)), c: chunkEvent(euro.slice(2)) };
      const source = m.cold('  --a--b--c--|', values);
      const subscription = '   ^----------!';
      const result = '         --------t--|';

      m.expect(source.pipe(decodeText())).toBeObservable(result, { t: '€' });
      m.expect(source).toHaveSubscriptions(subscription);
    }),
  );

  test(
    'emits what each chunk makes readable, and nothing for events without payload',
    marbles((m) => {
      const values = {
        h: headEvent(),
        a: chunkEvent('one '),
        b: utf8.encode('two'),
        e: chunkEvent(''),
        c: completeEvent(),
      };
      const source = m.cold('  h--a--e--b--(c|)', values);
      const subscription = '   ^-----------!';
      const result = '         ---a-----b--|';

      m.expect(source.pipe(decodeText())).toBeObservable(result, { a: 'one ', b: 'two' });
      m.expect(source).toHaveSubscriptions(subscription);
    }),
  );

  test(
    'replaces an unfinished character when the source completes',
    marbles((m) => {
      const source = m.cold<PayloadSource>('--a--|', { a: chunkEvent(euro.slice(0, 2)) });
      m.expect(source.pipe(decodeText())).toBeObservable('-----(r|)', { r: '\ufffd' });
    }),
  );

  test(
    'neither emits nor completes as long as the source does not',
    marbles((m) => {
      m.expect(NEVER.pipe(decodeText())).toBeObservable('-');
    }),
  );

  test(
    'completes at once with an empty source',
    marbles((m) => {
      m.expect(EMPTY.pipe(decodeText())).toBeObservable('|');
    }),
  );

  test(
    'passes the error of the source on unchanged, without a flush',
    marbles((m) => {
      const source = m.cold<PayloadSource>('--a--#', { a: chunkEvent(Uint8Array.of(0x61, 0xe2)) });
      m.expect(source.pipe(decodeText())).toBeObservable('--t--#', { t: 'a' });
      m.expect(source).toHaveSubscriptions('^----!');
    }),
  );

  test(
    'unsubscribes from the source when it is unsubscribed from',
    marbles((m) => {
      const source = m.cold<PayloadSource>('--a--a--a--|', { a: chunkEvent('x') });
      m.expect(source.pipe(decodeText()), '^-----!').toBeObservable('--t--t-', { t: 'x' });
      m.expect(source).toHaveSubscriptions('^-----!');
    }),
  );

  test(
    'keeps the halves of two subscriptions apart',
    marbles((m) => {
      const source = m.hot<PayloadSource>('--a--b--|', {
        a: chunkEvent(euro.slice(0, 2)),
        b: chunkEvent(euro.slice(2)),
      });
      const result = source.pipe(decodeText());
      m.expect(result).toBeObservable('-----t--|', { t: '€' });
      m.expect(result, '---^').toBeObservable('-----r--|', { r: '\ufffd' });
    }),
  );

  test(
    'drops the unfinished character on a retry that restarts or continues',
    marbles((m) => {
      const values = {
        a: chunkEvent(euro.slice(0, 2)),
        r: retryEvent({ mode: 'restart' }),
        c: retryEvent({ mode: 'continue' }),
        e: chunkEvent('\ufeffe'),
      };
      m.expect(m.cold<PayloadSource>('-ar-e|', values).pipe(decodeText())).toBeObservable('----e|');
      m.expect(m.cold<PayloadSource>('-ac-e|', values).pipe(decodeText())).toBeObservable('----e|');
    }),
  );

  test(
    'goes on with the unfinished character after a retry that is fresh or replays',
    marbles((m) => {
      const values = {
        a: chunkEvent(euro.slice(0, 2)),
        f: retryEvent({ mode: 'fresh' }),
        r: retryEvent({ mode: 'replay' }),
        b: chunkEvent(euro.slice(2)),
      };
      m.expect(m.cold<PayloadSource>('-ar-b|', values).pipe(decodeText())).toBeObservable('----t|', { t: '€' });
      m.expect(m.cold<PayloadSource>('-af-b|', values).pipe(decodeText())).toBeObservable('----t|', { t: '€' });
    }),
  );

  test('stops reading a synchronous source as soon as nobody listens any more', () => {
    let read = 0;
    function* endless(): Generator<PayloadSource> {
      for (;;) {
        read++;
        yield chunkEvent('x');
      }
    }
    const received: string[] = [];
    from(endless())
      .pipe(decodeText(), take(1))
      .subscribe((text) => received.push(text));
    expect(received).toEqual(['x']);
    expect(read).toBe(1);
  });

  test('decodes any cut of any bytes as TextDecoder decodes the whole', async () => {
    await fc.assert(
      fc.asyncProperty(payloads, cuts, async (bytes, cut) => {
        const expected = new TextDecoder().decode(bytes);
        expect(await textOf(from(toItems(cut(bytes))).pipe(decodeText()))).toBe(expected);
      }),
      fuzzParameters(500),
    );
  });

  test('never emits an empty string', async () => {
    await fc.assert(
      fc.asyncProperty(payloads, cuts, async (bytes, cut) => {
        expect(await lastValueFrom(from(toItems(cut(bytes))).pipe(decodeText(), toArray()))).not.toContain('');
      }),
    );
  });

  test('decodes emoji, CJK, marks and surrogate encodings cut in two anywhere', async () => {
    const bytes = Uint8Array.from([
      ...utf8.encode('\ufeffemoji 👩‍👩‍👧 漢字 \ufeff\r\n'),
      ...[0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
      ...utf8.encode('end🙂'),
    ]);
    const expected = new TextDecoder().decode(bytes);
    for (const chunks of cutsInTwo(bytes)) {
      expect(await textOf(from(chunks).pipe(decodeText()))).toBe(expected);
    }
  });

  test('under fatal accepts and refuses exactly what TextDecoder does, for any cut', async () => {
    await fc.assert(
      fc.asyncProperty(payloads, cuts, async (bytes, cut) => {
        let expected: string | undefined;
        try {
          expected = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
        } catch {
          expected = undefined;
        }
        const result = textOf(from(toItems(cut(bytes))).pipe(decodeText({ fatal: true })));
        if (expected === undefined) await expect(result).rejects.toBeInstanceOf(InvalidTextError);
        else expect(await result).toBe(expected);
      }),
      fuzzParameters(500),
    );
  });

  test('under fatal tells where the fault lies, and the cause', () => {
    const received: string[] = [];
    let failure: unknown;
    of(chunkEvent('good'), Uint8Array.of(0x61, 0xff, 0x62), chunkEvent('never read'))
      .pipe(decodeText({ fatal: true }))
      .subscribe({ next: (text) => received.push(text), error: (error: unknown) => (failure = error) });
    expect(received).toEqual(['good']);
    expect(failure).toBeInstanceOf(InvalidTextError);
    expect(failure).toMatchObject({
      code: 'invalid-text',
      message: 'The payload is not valid UTF-8, found after 4 bytes',
    });
    expect((failure as Error).cause).toBeInstanceOf(TypeError);
  });

  test('under fatal refuses a payload that ends within a character', async () => {
    await expect(textOf(of(chunkEvent('ab'), euro.slice(0, 2)).pipe(decodeText({ fatal: true })))).rejects.toThrow(
      'The payload is not valid UTF-8, found after 4 bytes',
    );
  });

  test('under fatal unsubscribes from the source at the fault', () => {
    const source = new Subject<PayloadSource>();
    let failure: unknown;
    source.pipe(decodeText({ fatal: true })).subscribe({ error: (error: unknown) => (failure = error) });
    source.next(Uint8Array.of(0xff));
    expect(failure).toBeInstanceOf(InvalidTextError);
    expect(source.observed).toBe(false);
  });

  test('passes a source error on where the text so far was sound', async () => {
    const lost = new Error('lost');
    const source = concat(
      of(chunkEvent('a')),
      throwError(() => lost),
    );
    await expect(textOf(source.pipe(decodeText({ fatal: true })))).rejects.toBe(lost);
  });

  test('gives an Observable of strings', () => {
    expectTypeOf(EMPTY.pipe(decodeText())).toEqualTypeOf<Observable<string>>();
    expectTypeOf(of(chunkEvent('x')).pipe(decodeText({ fatal: true }))).toEqualTypeOf<Observable<string>>();
    // @ts-expect-error -- text has been decoded already
    of('text').pipe(decodeText());
  });
});
