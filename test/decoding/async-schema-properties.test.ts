/** An asynchronous schema gives what a synchronous one gives, whenever it answers. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import fc from 'fast-check';
import { NEVER, Subject, concat, from, take } from 'rxjs';
import { expect, test } from 'vitest';
import { parseNdjson } from '../../src/decoding/parse-ndjson.js';
import type { PayloadSource } from '../../src/shared/payload.js';
import { chunkEvent, retryEvent } from '../../src/testing/event-builders.js';
import { outcomeNow, type Told } from '../support/collect.js';
import { expectNoStrays } from '../support/no-strays.js';
import { cuts } from '../support/payload-arbitraries.js';

expectNoStrays();

type Result = StandardSchemaV1.Result<number>;

/** A schema of numbers: it refuses 8, and throws at 9. */
function schemaWith(answer: (record: number, judge: () => Result) => Result | Promise<Result>) {
  const judge = (record: number): Result => {
    if (record === 9) throw new Error('the schema failed');
    return record === 8 ? { issues: [{ message: 'no' }] } : { value: record };
  };
  const validate = (value: unknown): Result | Promise<Result> => answer(value as number, () => judge(value as number));
  return { '~standard': { version: 1, vendor: 'test', validate } } satisfies StandardSchemaV1<unknown, number>;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const atOnce = schemaWith((_, judge) => judge());

const documents = fc
  .tuple(
    fc.array(fc.constantFrom('1\n', '2\r\n', '3\n', '4\n', '\n', '8\n', '9\n', 'word\n', '5'), { maxLength: 12 }),
    cuts,
  )
  .map(([lines, cut]) => cut(new TextEncoder().encode(lines.join(''))).map((part) => chunkEvent(part)));

const plans = fc.record({
  first: documents,
  retry: fc.option(fc.record({ mode: fc.constantFrom('restart' as const, 'continue' as const), second: documents })),
  onInvalid: fc.constantFrom('error' as const, 'skip' as const),
  /** After how many turns of the event loop each answer comes; 0 is at once. Then from the start. */
  delays: fc.array(fc.nat(3), { minLength: 1, maxLength: 5 }),
  /** How many turns of the event loop pass before each chunk. */
  pauses: fc.array(fc.nat(2), { minLength: 1, maxLength: 4 }),
  content: fc.constantFrom(Infinity, Infinity, 1, 3),
});

test('records come in order through an asynchronous schema, and nothing of it outlives the subscription', async () => {
  await fc.assert(
    fc.asyncProperty(plans, async ({ first, retry, onInvalid, delays, pauses, content }) => {
      let asked = 0;
      const late = schemaWith((_, judge) => {
        const turns = delays[asked++ % delays.length]!;
        if (turns === 0) return judge();
        return (async () => {
          for (let i = 0; i < turns; i++) await turn();
          return judge();
        })();
      });
      const source = new Subject<PayloadSource>();
      const told = outcomeNow(source.pipe(parseNdjson({ schema: late, onInvalid }), take(content)));
      const items = [...first, ...(retry ? [retryEvent({ mode: retry.mode }), ...retry.second] : [])];
      for (const [index, item] of items.entries()) {
        for (let i = 0; i < pauses[index % pauses.length]!; i++) await turn();
        source.next(item);
      }
      source.complete();
      for (let i = 0; i < 3 * (asked + items.length * 12); i++) await turn();

      const all: PayloadSource[] = [...(retry?.second ?? first)];
      const alone = outcomeNow(from(all).pipe(parseNdjson({ schema: atOnce, onInvalid })));
      const before = retry
        ? outcomeNow(concat(from(first), NEVER).pipe(parseNdjson({ schema: atOnce, onInvalid })))
        : nothing;
      // A retry voids what the schema has not judged by then.
      const possible = [
        ...(before.end === 'nothing' ? [] : [limited(before, content)]),
        ...Array.from({ length: before.values.length + 1 }, (_, told) =>
          limited({ values: [...before.values.slice(0, told), ...alone.values], end: alone.end }, content),
        ),
      ];
      expect(possible.map(inWords)).toContain(inWords(told));
      expect(source.observed).toBe(false);
    }),
    { numRuns: 300 },
  );
});

const nothing: Told<number> = { values: [], end: 'nothing' };

/** What a consumer with a `take` is told of it. */
function limited({ values, end }: Told<number>, content: number): Told<number> {
  return values.length >= content ? { values: values.slice(0, content), end: 'complete' } : { values, end };
}

/** Without the place of an invalid record: after a 'continue' counting goes on. */
const inWords = ({ values, end }: Told<number>): string =>
  `${values.join()}; ${
    end instanceof Error ? `${end.name}: ${(end as { text?: string }).text ?? end.message}` : String(end)
  }`;
