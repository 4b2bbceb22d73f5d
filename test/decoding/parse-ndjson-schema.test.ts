import type { StandardSchemaV1 } from '@standard-schema/spec';
import fc from 'fast-check';
import { EMPTY, Observable, Subject, concat, from, lastValueFrom, of, take, tap, throwError, toArray } from 'rxjs';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { InvalidRecordError, LineTooLongError, ResponseTooLargeError } from '../../src/errors.js';
import { parseNdjson, type ParseNdjsonOptions } from '../../src/decoding/parse-ndjson.js';
import type { PayloadSource } from '../../src/shared/payload.js';
import { chunkEvent, retryEvent } from '../../src/testing/event-builders.js';
import { cuts } from '../support/payload-arbitraries.js';

const utf8 = new TextEncoder();

const zodRow = z.object({ id: z.number(), tags: z.array(z.object({ name: z.string() })).default([]) });
const valibotRow = v.object({ id: v.number(), tags: v.optional(v.array(v.object({ name: v.string() })), []) });

/** A schema whose validations the test settles itself, and which tells how many have begun. */
function manualSchema() {
  const begun: number[] = [];
  const settlers: (() => void)[] = [];
  const schema: StandardSchemaV1<unknown, number> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => {
        begun.push(value as number);
        return new Promise((resolve) => settlers.push(() => resolve({ value: value as number })));
      },
    },
  };
  return { schema, begun, settleNext: () => settlers.shift()?.() };
}

/** Everything that a subscriber is told, and a promise of its end. */
function observe<T>(source: Observable<T>) {
  const received: T[] = [];
  const errors: unknown[] = [];
  let resolve: (end: unknown) => void;
  const ended = new Promise<unknown>((settle) => (resolve = settle));
  const subscription = source.subscribe({
    next: (value) => received.push(value),
    error: (error: unknown) => {
      errors.push(error);
      resolve(error);
    },
    complete: () => resolve('complete'),
  });
  return { received, errors, ended, subscription };
}

/** Lets all promise callbacks run that are due. */
const promisesSettled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe.each([
  ['zod', zodRow],
  ['valibot', valibotRow],
])('parseNdjson with a schema of %s', (_, schema) => {
  test('emits what the schema makes of each record, synchronously', () => {
    const { received } = observe(
      of(chunkEvent('{"id":1,"more":true}\n\n{"id":2,"tags":[{"name":"a"}]}')).pipe(parseNdjson({ schema })),
    );
    expect(received).toStrictEqual([
      { id: 1, tags: [] },
      { id: 2, tags: [{ name: 'a' }] },
    ]);
  });

  test('errs with line, offset, path, excerpt and issues at a record that it refuses', () => {
    const bad = '{"id":2,"tags":[{"name":"a"},{"name":3}]}';
    const { received, errors } = observe(
      of(chunkEvent(`{"id":1}\r\n${bad}\r\n{"id":3}`)).pipe(parseNdjson({ schema })),
    );
    expect(received).toEqual([{ id: 1, tags: [] }]);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toBeInstanceOf(InvalidRecordError);
    expect(errors[0]).toMatchObject({
      line: 2,
      offset: 10,
      text: bad,
      message: `Line 2 (byte 10): refused by the schema at tags.1.name: ${bad}`,
    });
    const issues = (errors[0] as Error).cause as readonly StandardSchemaV1.Issue[];
    expect(issues).toHaveLength(1);
    expect(issues[0]?.message).toMatch(/string/);
  });

  test('tells no path where the record itself is refused', () => {
    const { errors } = observe(of(chunkEvent('5')).pipe(parseNdjson({ schema })));
    expect(errors[0]).toMatchObject({ message: 'Line 1 (byte 0): refused by the schema: 5' });
  });

  test('leaves refused and unreadable records out under skip', () => {
    const source = of(chunkEvent('{"id":1}\n{"id":"x"}\n{\n{"id":4}\n'));
    const { received } = observe(source.pipe(parseNdjson({ schema, onInvalid: 'skip' })));
    expect(received.map(({ id }) => id)).toEqual([1, 4]);
  });

  test('tells a callback the places of refused and unreadable records, for any cut', () => {
    const texts = ['{"id":1}', '{"id":"漢"}', '', '{', '{"id":2}', '[]'];
    const bytes = utf8.encode(texts.join('\n'));
    fc.assert(
      fc.property(cuts, (cut) => {
        const places: [number, number][] = [];
        const onInvalid = ({ line, offset }: InvalidRecordError) => places.push([line, offset]);
        const { received } = observe(from(cut(bytes)).pipe(parseNdjson({ schema, onInvalid })));
        expect(received.map(({ id }) => id)).toEqual([1, 2]);
        expect(places).toEqual([
          [2, 9],
          [4, 23],
          [6, 34],
        ]);
      }),
    );
  });

  test('holds no more of the payload in its message than 200 characters, whatever the issues hold', () => {
    const secret = 'confidential'.repeat(100);
    const { errors } = observe(
      of(chunkEvent(`{"pad":"${'x'.repeat(300)}","id":"${secret}"}`)).pipe(parseNdjson({ schema })),
    );
    expect((errors[0] as Error).message).not.toContain('confidential');
  });

  test('validates no further as soon as nobody listens any more', () => {
    const invalid: unknown[] = [];
    const source = of(chunkEvent('{"id":1}\n{"id":"x"}\n'));
    observe(source.pipe(parseNdjson({ schema, onInvalid: (error) => invalid.push(error) }), take(1)));
    expect(invalid).toEqual([]);
  });
});

describe('parseNdjson with a schema that throws', () => {
  test('ends with what it throws', () => {
    const fault = new Error('the schema is broken');
    const broken = v.transform((_: number): number => {
      throw fault;
    });
    const schema = v.pipe(v.number(), broken);
    const source = new Subject<PayloadSource>();
    const { errors } = observe(source.pipe(parseNdjson({ schema, onInvalid: 'skip' })));
    source.next(chunkEvent('1\n'));
    expect(errors).toEqual([fault]);
    expect(source.observed).toBe(false);
  });
});

describe('parseNdjson with an asynchronous schema', () => {
  test('keeps the order of the records and of the end, with zod', async () => {
    const schema = z.number().refine((value) => new Promise((resolve) => setTimeout(() => resolve(true), 5 - value)));
    const records = lastValueFrom(
      of(chunkEvent('1\n2\n'), chunkEvent('3\n4')).pipe(parseNdjson({ schema }), toArray()),
    );
    expect(await records).toEqual([1, 2, 3, 4]);
  });

  test('keeps the order of the records and of the end, with valibot', async () => {
    const slow = (value: number) => new Promise<number>((resolve) => setTimeout(() => resolve(value * 2), 5 - value));
    const schema = v.pipeAsync(v.number(), v.transformAsync(slow));
    const records = lastValueFrom(
      of(chunkEvent('1\n2\n'), chunkEvent('3\n4')).pipe(parseNdjson({ schema }), toArray()),
    );
    expect(await records).toEqual([2, 4, 6, 8]);
  });

  test('keeps the order where some validations are synchronous and some are not', async () => {
    const schema: StandardSchemaV1<unknown, unknown> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) => (Number(value) % 3 === 0 ? Promise.resolve({ value }) : { value }),
      },
    };
    const numbers = Array.from({ length: 1000 }, (_, index) => index);
    const source = of(chunkEvent(numbers.slice(0, 500).join('\n') + '\n'), chunkEvent(numbers.slice(500).join('\n')));
    expect(await lastValueFrom(source.pipe(parseNdjson({ schema }), toArray()))).toEqual(numbers);
  });

  test('validates one record at a time, and takes its time for the end', async () => {
    const { schema, begun, settleNext } = manualSchema();
    const { received, ended } = observe(of(chunkEvent('1\n2\n3')).pipe(parseNdjson({ schema })));
    expect(begun).toEqual([1]);
    settleNext();
    await promisesSettled();
    expect({ begun, received }).toEqual({ begun: [1, 2], received: [1] });
    settleNext();
    await promisesSettled();
    expect({ begun, received }).toEqual({ begun: [1, 2, 3], received: [1, 2] });
    settleNext();
    expect(await ended).toBe('complete');
    expect(received).toEqual([1, 2, 3]);
  });

  test('lets an error of the source wait for the records before it', async () => {
    const lost = new Error('lost');
    const { schema, settleNext } = manualSchema();
    const source = concat(
      of(chunkEvent('1\n2\n3')),
      throwError(() => lost),
    );
    const { received, errors, ended } = observe(source.pipe(parseNdjson({ schema })));
    settleNext();
    await promisesSettled();
    expect({ received, errors }).toEqual({ received: [1], errors: [] });
    settleNext();
    expect(await ended).toBe(lost);
    expect(received).toEqual([1, 2]);
  });

  test('lets an unreadable record and a line too long wait for the records before them', async () => {
    const schema = z.number().refine(() => Promise.resolve(true));
    const unreadable = observe(of(chunkEvent('1\n2\nno\n4')).pipe(parseNdjson({ schema })));
    expect(await unreadable.ended).toMatchObject({ code: 'invalid-record', line: 3, offset: 4, text: 'no' });
    expect(unreadable.received).toEqual([1, 2]);
    const tooLong = observe(of(chunkEvent('1\n2\n34567\n8')).pipe(parseNdjson({ schema, maxLineBytes: 4 })));
    expect(await tooLong.ended).toBeInstanceOf(LineTooLongError);
    expect(tooLong.received).toEqual([1, 2]);
  });

  test('tells the places of refused records', async () => {
    const schema = z.object({ id: z.number() }).refine(({ id }) => Promise.resolve(id < 3));
    const source = of(chunkEvent('{"id":1}\n\n{"id":3}\n{"id":"x"}\n'), chunkEvent('{"id":2}'));
    const places: [number, number, string][] = [];
    const onInvalid = ({ line, offset, text }: InvalidRecordError) => places.push([line, offset, text]);
    const { received, ended } = observe(source.pipe(parseNdjson({ schema, onInvalid })));
    expect(await ended).toBe('complete');
    expect(received).toEqual([{ id: 1 }, { id: 2 }]);
    expect(places).toEqual([
      [3, 10, '{"id":3}'],
      [4, 19, '{"id":"x"}'],
    ]);
  });

  test('reports a refused record that waited like any other refused record', async () => {
    const isSmall = (id: number): boolean => id < 3;
    const refused = async (schema: StandardSchemaV1<unknown, number>): Promise<unknown> => {
      const { ended } = observe(of(chunkEvent('1\n3\n')).pipe(parseNdjson({ schema })));
      const error = (await ended) as InvalidRecordError;
      return { ...Object.fromEntries(Object.entries(error)), cause: error.cause, message: error.message };
    };
    const waited = await refused(z.number().refine((id) => Promise.resolve(isSmall(id)), 'too large'));
    expect(waited).toEqual(await refused(z.number().refine(isSmall, 'too large')));
    expect(Object.keys(waited as object).sort()).toEqual([
      'cause',
      'code',
      'line',
      'message',
      'name',
      'offset',
      'text',
    ]);
  });

  test('ends with what the callback throws, and with what a validation is rejected with', async () => {
    const refusal = new Error('enough');
    const onInvalid = (): void => {
      throw refusal;
    };
    const refusing = v.pipeAsync(
      v.number(),
      v.checkAsync(() => Promise.resolve(false)),
    );
    const rejecting = v.pipeAsync(
      v.number(),
      v.checkAsync(() => Promise.reject(refusal)),
    );
    for (const options of [{ schema: refusing, onInvalid }, { schema: rejecting }]) {
      const source = new Subject<PayloadSource>();
      const { ended } = observe(source.pipe(parseNdjson(options)));
      source.next(chunkEvent('1\n2\n'));
      expect(await ended).toBe(refusal);
      expect(source.observed).toBe(false);
    }
  });

  test('emits nothing and validates nothing after it is unsubscribed from', async () => {
    const { schema, begun, settleNext } = manualSchema();
    const source = new Subject<PayloadSource>();
    const { received, subscription } = observe(source.pipe(parseNdjson({ schema })));
    source.next(chunkEvent('1\n2\n3\n'));
    subscription.unsubscribe();
    settleNext();
    await promisesSettled();
    expect({ received, begun, observed: source.observed }).toEqual({ received: [], begun: [1], observed: false });
  });

  test('stops in the middle of what waits as soon as nobody listens any more', async () => {
    const { schema, begun, settleNext } = manualSchema();
    const { received, ended } = observe(of(chunkEvent('1\n2\n3\n')).pipe(parseNdjson({ schema }), take(1)));
    settleNext();
    expect(await ended).toBe('complete');
    await promisesSettled();
    expect({ received, begun }).toEqual({ received: [1], begun: [1] });
  });

  test.each(['restart', 'continue'] as const)('drops what is not emitted yet on a retry: %s', async (mode) => {
    const { schema, begun, settleNext } = manualSchema();
    const source = new Subject<PayloadSource>();
    const { received, ended } = observe(source.pipe(parseNdjson({ schema })));
    source.next(chunkEvent('1\n2\n3\nunf'));
    settleNext();
    await promisesSettled();
    source.next(retryEvent({ mode }));
    source.next(chunkEvent('7\nno\n'));
    source.complete();
    // The first of these is the validation of record 2, which is void by now.
    settleNext();
    settleNext();
    expect(await ended).toMatchObject(mode === 'restart' ? { line: 2, offset: 2 } : { line: 3, offset: 4 });
    expect({ received, begun }).toEqual({ received: [1, 7], begun: [1, 2, 7] });
  });

  test('holds the end for the records after a retry from within next', async () => {
    const { schema, begun, settleNext } = manualSchema();
    const source = new Subject<PayloadSource>();
    const { received, ended } = observe(
      source.pipe(
        parseNdjson({ schema }),
        tap((record) => {
          if (record !== 1) return;
          source.next(retryEvent({ mode: 'restart' }));
          source.next(chunkEvent('7\n8\n'));
          source.complete();
        }),
      ),
    );
    source.next(chunkEvent('1\n2\n'));
    for (let validation = 0; validation < 3; validation++) {
      settleNext();
      await promisesSettled();
    }
    expect(await ended).toBe('complete');
    expect({ received, begun }).toEqual({ received: [1, 7, 8], begun: [1, 7, 8] });
  });

  test('errs where more of the payload waits than the limit, in bytes', () => {
    const { schema } = manualSchema();
    const source = new Subject<PayloadSource>();
    const { errors } = observe(source.pipe(parseNdjson({ schema, maxPendingBytes: 16 })));
    source.next(chunkEvent('"€€"\n'));
    source.next(chunkEvent('223456\n3\n'));
    expect(errors).toEqual([]);
    source.next(chunkEvent('4\n5\n'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toBeInstanceOf(ResponseTooLargeError);
    expect(errors[0]).toMatchObject({
      maxBytes: 16,
      message: 'The records that wait for their schema pass maxPendingBytes (16 bytes)',
    });
    expect(source.observed).toBe(false);
  });

  test('lets 16 MiB wait unless told otherwise, and gets through them in linear time', async () => {
    const records = 100_000;
    const schema = z.number().refine(() => Promise.resolve(true));
    const source = of(chunkEvent('1\n'.repeat(records)));
    expect(await lastValueFrom(source.pipe(parseNdjson({ schema }), toArray()))).toHaveLength(records);
    const { errors } = observe(
      of(chunkEvent(`1\n${' '.repeat(1_000_000)}\n`.repeat(17) + '2\n')).pipe(parseNdjson({ schema })),
    );
    expect(errors[0]).toMatchObject({ code: 'response-too-large', maxBytes: 16_777_216 });
  });
});

describe('the types of parseNdjson with a schema', () => {
  test('give the records the type of the output of the schema', () => {
    const schema = z.object({ at: z.string().transform((text) => new Date(text)), n: z.number().optional() });
    expectTypeOf(EMPTY.pipe(parseNdjson({ schema }))).toEqualTypeOf<Observable<{ at: Date; n?: number | undefined }>>();
    const other = v.pipe(v.string(), v.transform(Number));
    expectTypeOf(EMPTY.pipe(parseNdjson({ schema: other, onInvalid: 'skip' }))).toEqualTypeOf<Observable<number>>();
    const asynchronous = v.pipeAsync(
      v.string(),
      v.transformAsync((text) => Promise.resolve(text.length)),
    );
    expectTypeOf(EMPTY.pipe(parseNdjson({ schema: asynchronous }))).toEqualTypeOf<Observable<number>>();
    // @ts-expect-error -- the schema makes numbers
    const wrong: ParseNdjsonOptions<string> = { schema: other };
    expect(wrong.schema).toBe(other);
  });
});
