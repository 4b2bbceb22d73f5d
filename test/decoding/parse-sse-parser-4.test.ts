import fc from 'fast-check';
import { from } from 'rxjs';
import { expect, test, vi } from 'vitest';
import { parseSse, type ServerSentEvent } from '../../src/decoding/parse-sse.js';
import { cuts, payloads, toItems } from '../support/payload-arbitraries.js';
import { readSse } from '../support/sse-reference.js';

const used = vi.hoisted(() => ({ version4: false }));
vi.mock('eventsource-parser', async () => {
  used.version4 = true;
  return import('eventsource-parser-4');
});

const utf8 = new TextEncoder();
const parse = (chunks: Uint8Array[]): { events: ServerSentEvent[]; end: string } => {
  const events: ServerSentEvent[] = [];
  let end = 'nothing';
  from(toItems(chunks))
    .pipe(parseSse())
    .subscribe({
      next: (event) => events.push(event),
      error: (error: unknown) => (end = (error as { code: string }).code),
      complete: () => (end = 'complete'),
    });
  return { events, end };
};

test('parseSse takes no characters for a byte order mark with eventsource-parser 4 either', () => {
  expect(parse([utf8.encode('ï»¿data: x\n\ndata: y\n\n')]).events).toStrictEqual([{ data: 'y' }]);
  expect(parse([utf8.encode('\ufeffdata: x\n\n')]).events).toStrictEqual([{ data: 'x' }]);
  expect(used.version4).toBe(true);
});

test('parseSse emits with eventsource-parser 4 what the reference does, for any cut of any bytes', () => {
  fc.assert(
    fc.property(payloads, cuts, (bytes, cut) => {
      expect(parse(cut(bytes))).toEqual(readSse(bytes));
    }),
    { numRuns: 1000 },
  );
});
