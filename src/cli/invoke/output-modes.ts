import { concatMap, connect, filter, from, map, zip, type OperatorFunction } from 'rxjs';
import { decodeText, parseNdjson, parseSse, splitLines, type LambdaStreamEvent } from '../../index.js';
import { isBlank } from '../../decoding/parse-ndjson.js';

/** What a mode writes to stdout. */
export type Output = OperatorFunction<LambdaStreamEvent, string | Uint8Array>;

/** How a stream is written to stdout. */
export const outputModes = {
  /** The payload's bytes as they come. */
  raw: () => (source) => source.pipe(concatMap((event) => (event.type === 'chunk' ? [event.payload] : []))),
  /** Decoded UTF-8; what is none becomes U+FFFD. */
  text: () => decodeText(),
  /** One JSON document a line, each checked, and written as it came: a parsed number may be another one. */
  ndjson: () =>
    connect((events) =>
      zip(
        // First, so that the lines before an invalid record are here when it ends everything. The other has the limit.
        events.pipe(
          splitLines({ maxLineBytes: Infinity }),
          filter((line) => !isBlank(line)),
        ),
        events.pipe(parseNdjson()),
      ).pipe(map(([line]) => `${line}\n`)),
    ),
  /** Server-sent events, one JSON document a line. */
  sse: () => (source) => source.pipe(parseSse(), map(toLine)),
  /** This package's events, one JSON document a line. */
  events: () => (source) =>
    source.pipe(
      filter((event) => event.type !== 'retry'),
      concatMap((event) => from([toLine(describe(event))])),
    ),
} satisfies Record<string, () => Output>;

export type OutputMode = keyof typeof outputModes;

function toLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** An event as JSON can hold it: payload bytes as text where they are UTF-8, else as base64. */
function describe(event: LambdaStreamEvent): unknown {
  if (event.type !== 'chunk' && event.type !== 'unknown') return event;
  const { payload, ...others } = event;
  try {
    return { ...others, text: utf8.decode(payload) };
  } catch {
    return { ...others, base64: Buffer.from(payload).toString('base64') };
  }
}
