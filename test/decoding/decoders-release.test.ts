import { Subject } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { decodeText } from '../../src/decoding/decode-text.js';
import { parseNdjson } from '../../src/decoding/parse-ndjson.js';
import { parseSse } from '../../src/decoding/parse-sse.js';
import type { PayloadSource } from '../../src/shared/payload.js';
import { splitLines } from '../../src/decoding/split-lines.js';
import { collectGarbage } from '../support/collect-garbage.js';

const utf8 = new TextEncoder();
// Held, so that it is not the promises' being forgotten that frees what hangs on them.
const unanswered: ((valid: boolean) => void)[] = [];
const never = z.unknown().refine(() => new Promise<boolean>((resolve) => unanswered.push(resolve)));

/** Tells whether the collector takes the object, given some rounds. */
async function isCollected(object: WeakRef<object>): Promise<boolean> {
  for (let round = 0; round < 20; round++) {
    await collectGarbage();
    if (!object.deref()) return true;
  }
  return false;
}

describe.each([
  ['decodeText', () => decodeText(), 'text'.repeat(20)],
  ['splitLines', () => splitLines(), `${'line\n'.repeat(20)}unfinished`],
  ['parseNdjson', () => parseNdjson(), `${'{"a":1}\n'.repeat(20)}{"unfinished`],
  ['parseNdjson with a schema that never answers', () => parseNdjson({ schema: never }), '{"a":1}\n'.repeat(20)],
  ['parseSse', () => parseSse(), `${'data: 1\n\n'.repeat(20)}data: unfinished`],
  ['parseSse with a schema that never answers', () => parseSse({ schema: never }), 'data: 1\n\n'.repeat(20)],
] as const)('%s', (_, createOperator, text) => {
  test('holds no chunk after it is handed out', async () => {
    const source = new Subject<PayloadSource>();
    const subscription = source.pipe(createOperator()).subscribe();
    const sent = (() => {
      const chunk = utf8.encode(text);
      source.next(chunk);
      return new WeakRef(chunk.buffer);
    })();
    expect(await isCollected(sent)).toBe(true);
    expect(subscription.closed).toBe(false);
    subscription.unsubscribe();
  });

  test('holds nothing after it is unsubscribed from, though source and subscription are held', async () => {
    const source = new Subject<PayloadSource>();
    const { subscription, consumer } = (() => {
      const consumer = { next: () => undefined };
      const subscription = source.pipe(createOperator()).subscribe(consumer);
      source.next(utf8.encode(text));
      return { subscription, consumer: new WeakRef(consumer) };
    })();
    subscription.unsubscribe();
    expect(await isCollected(consumer)).toBe(true);
    expect(source.observed).toBe(false);
    expect(subscription.closed).toBe(true);
  });
});

describe.each([
  ['parseNdjson', () => parseNdjson({ schema: never }), (text: string) => `"${text}"\n`],
  ['parseSse', () => parseSse({ schema: never }), (text: string) => `data: "${text}"\n\n`],
] as const)('%s with a schema that never answers', (_, createOperator, encode) => {
  test('holds none of the records that waited, after it is unsubscribed from', async () => {
    const heapUsed = async (): Promise<number> => {
      for (let round = 0; round < 3; round++) await collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const source = new Subject<PayloadSource>();
    const before = await heapUsed();
    const subscription = source.pipe(createOperator()).subscribe();
    const letters = 'x'.repeat(100_000);
    for (let record = 0; record < 100; record++) source.next(utf8.encode(encode(letters)));
    expect((await heapUsed()) - before).toBeGreaterThan(9_000_000);
    subscription.unsubscribe();
    expect((await heapUsed()) - before).toBeLessThan(3_000_000);
    expect(source.observed).toBe(false);
  });
});
