import { connect, filter, map, mergeMap, zip, type OperatorFunction } from 'rxjs';
import { decodeText, parseNdjson, parseSse, splitLines, type LambdaStreamEvent } from '../../index.js';
import { isBlank } from '../../decoding/parse-ndjson.js';
import { jsonLine } from '../terminal.js';

/** What a mode writes to stdout. */
export type Output = OperatorFunction<LambdaStreamEvent, string | Uint8Array>;

/** How a stream is written to stdout. */
export const outputModes = {
  /** The payload's bytes as they come. */
  raw: () => (source) => source.pipe(mergeMap((event) => (event.type === 'chunk' ? [event.payload] : []))),
  /** Decoded UTF-8. Bytes that are not UTF-8 become U+FFFD. */
  text: () => decodeText(),
  /** One JSON document a line. Each is checked and written as it came: parsing could change a number. */
  ndjson: () =>
    connect((events) =>
      zip(
        // The lines come first, so that those before an invalid record are written. The parser has the limit.
        events.pipe(
          splitLines({ maxLineBytes: Infinity }),
          filter((line) => !isBlank(line)),
        ),
        events.pipe(parseNdjson()),
      ).pipe(map(([line]) => `${line}\n`)),
    ),
  /** Server-sent events, one JSON document a line. */
  sse: () => (source) => source.pipe(parseSse(), map(jsonLine)),
  /** This package's events, one JSON document a line. Retries are reported on stderr. */
  events: () => (source) =>
    source.pipe(
      filter((event) => event.type !== 'retry'),
      map((event) => jsonLine(toJson(event))),
    ),
} satisfies Record<string, () => Output>;

export type OutputMode = keyof typeof outputModes;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Makes an event fit for JSON: bytes become `text` where they are UTF-8, and `base64` otherwise. */
function toJson(event: LambdaStreamEvent): unknown {
  if (event.type === 'chunk') {
    const { payload, ...others } = event;
    return { ...others, ...bytesToJson(payload) };
  }
  if (event.type !== 'unknown') return event;
  const { payload, headers, ...others } = event;
  const shown = Object.entries(headers).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? bytesToJson(value) : value,
  ]);
  return { ...others, headers: Object.fromEntries(shown) as unknown, ...bytesToJson(payload) };
}

function bytesToJson(bytes: Uint8Array): { text: string } | { base64: string } {
  try {
    return { text: utf8.decode(bytes) };
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') };
  }
}
