/** What a retry within a payload means to each operator that reads payloads, for any bytes, any cut and any place. */
import fc from 'fast-check';
import { concat, from, NEVER, type Observable, type OperatorFunction } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { collectResponse } from '../../src/consumers/collect-response.js';
import { toSnapshots } from '../../src/consumers/to-snapshots.js';
import { decodeHttpResponse } from '../../src/decoding/decode-http-response.js';
import { decodeText } from '../../src/decoding/decode-text.js';
import { parseNdjson } from '../../src/decoding/parse-ndjson.js';
import { parseSse } from '../../src/decoding/parse-sse.js';
import { splitLines } from '../../src/decoding/split-lines.js';
import type { LambdaStreamEvent, RetryMode } from '../../src/events.js';
import { chunkEvent, retryEvent } from '../../src/testing/event-builders.js';
import { outcomeNow } from '../support/collect.js';
import { cuts, payloads } from '../support/payload-arbitraries.js';

type Events = readonly LambdaStreamEvent[];
type Operator = OperatorFunction<LambdaStreamEvent, unknown>;

const utf8 = new TextEncoder();

function outcome(source: Observable<LambdaStreamEvent>, operator: Operator) {
  const { values, end } = outcomeNow(source.pipe(operator));
  // decodeHttpResponse passes the retry on.
  return { values: values.filter((value) => !isRetry(value)), end };
}

const isRetry = (value: unknown): boolean => (value as { type?: unknown } | null)?.type === 'retry';
const whole = (events: Events, operator: Operator) => outcome(from(events), operator);
const unfinished = (events: Events, operator: Operator) => outcome(concat(from(events), NEVER), operator);

/** A prelude in front of some payloads, and a part of one. */
const nuls = '\0'.repeat(8);
const preludes = fc.constantFrom('', '', `{"statusCode":201}${nuls}`, `{"statusCode":404}${nuls}`, '{"statusCo');

/** The chunks of any payload, cut anywhere. */
const chunks: fc.Arbitrary<LambdaStreamEvent[]> = fc
  .tuple(preludes, payloads, cuts)
  .map(([prelude, bytes, cut]) =>
    cut(Uint8Array.from([...utf8.encode(prelude), ...bytes])).map((part) => chunkEvent(part)),
  );

const retry = (mode: RetryMode): LambdaStreamEvent => retryEvent({ mode });

describe.each<[name: string, operator: () => Operator]>([
  ['decodeText', () => decodeText()],
  ['decodeText with fatal', () => decodeText({ fatal: true })],
  ['splitLines', () => splitLines()],
  ['splitLines with a limit', () => splitLines({ maxLineBytes: 6 })],
  ['parseNdjson', () => parseNdjson()],
  ['parseNdjson that skips', () => parseNdjson({ onInvalid: 'skip' })],
  ['parseSse', () => parseSse()],
  ['decodeHttpResponse', () => decodeHttpResponse()],
  ['decodeHttpResponse with failOnStatus', () => decodeHttpResponse({ failOnStatus: true, maxErrorBodyBytes: 5 })],
])('%s', (name, operator) => {
  test('emits after a restart what it emits for the second response alone, and its error', () => {
    fc.assert(
      fc.property(chunks, chunks, (first, second) => {
        const before = unfinished(first, operator());
        const after = whole(second, operator());
        const expected =
          before.end === 'nothing' ? { values: [...before.values, ...after.values], end: after.end } : before;
        expect(whole([...first, retry('restart'), ...second], operator())).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test('emits after a continue what it emits for the second response alone', () => {
    fc.assert(
      fc.property(chunks, chunks, (first, second) => {
        const before = unfinished(first, operator());
        const after = whole(second, operator());
        const result = whole([...first, retry('continue'), ...second], operator());
        if (before.end !== 'nothing') {
          expect(result).toEqual(before);
          return;
        }
        const values = [...before.values, ...after.values];
        expect(result.values.map(withoutLastEventId)).toEqual(values.map(withoutLastEventId));
        // An error says another place, since counting goes on. Whether bytes are an event stream at all is also told
        // by the first response.
        if (name !== 'parseSse') expect(kindOf(result.end)).toBe(kindOf(after.end));
      }),
      { numRuns: 300 },
    );
  });

  test.each<RetryMode>(['fresh', 'replay'])('takes no notice of a retry with mode %s, wherever it comes', (mode) => {
    fc.assert(
      fc.property(chunks, fc.nat(12), (all, place) => {
        const events = [...all.slice(0, place), retry(mode), ...all.slice(place)];
        expect(whole(events, operator())).toEqual(whole(all, operator()));
      }),
      { numRuns: 300 },
    );
  });
});

/** The last event id outlives a continue. */
function withoutLastEventId(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('lastEventId' in value)) return value;
  const { lastEventId: _, ...others } = value;
  return others;
}

const kindOf = (end: unknown): unknown => (end instanceof Error ? end.constructor : end);

describe.each<[name: string, operator: () => Operator, summary: (value: unknown) => unknown]>([
  ['collectResponse', () => collectResponse(), (value) => [...(value as { bytes: Uint8Array }).bytes]],
  ['toSnapshots', () => toSnapshots(), (value) => (value as { text: string }).text],
])('%s', (name, operator, summary) => {
  const summarized = (events: Events): unknown => summary(whole(events, operator()).values.at(-1));

  test('ends after a restart as for the second response alone', () => {
    fc.assert(
      fc.property(chunks, chunks, (first, second) => {
        expect(summarized([...first, retry('restart'), ...second])).toEqual(summarized(second));
      }),
      { numRuns: 300 },
    );
  });

  test('ends after a continue with both responses, one behind the other', () => {
    fc.assert(
      fc.property(chunks, chunks, (first, second) => {
        // A character that the continue has cut off is no text.
        const before =
          name === 'toSnapshots'
            ? unfinished(first, decodeText()).values.join('')
            : (summarized(first) as readonly number[]);
        const after = summarized(second) as readonly number[];
        const expected = typeof before === 'string' ? `${before}${String(after)}` : [...before, ...after];
        expect(summarized([...first, retry('continue'), ...second])).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test.each<RetryMode>(['fresh', 'replay'])('takes no notice of a retry with mode %s, wherever it comes', (mode) => {
    fc.assert(
      fc.property(chunks, fc.nat(12), (all, place) => {
        expect(summarized([...all.slice(0, place), retry(mode), ...all.slice(place)])).toEqual(summarized(all));
      }),
      { numRuns: 300 },
    );
  });
});
