import { createParser } from 'eventsource-parser';
import type { MonoTypeOperatorFunction, Subscriber } from 'rxjs';
import { InvalidRecordError } from '../errors.js';
import type { PayloadDecoder } from '../shared/payload.js';
import { createEventScanner } from './event-scanner.js';
import type { LinePosition } from './line-positions.js';
import type { ParseSseJsonOptions, ParseSseOptions, ServerSentEvent } from './parse-sse.js';
import type { RecordOptions } from './record-options.js';
import { createRecordParser } from './record-parser.js';

/** How much of a payload that is not an event stream is kept for the error, in characters. */
const excerptLength = 250;

/** Decodes the payload of one subscription as server-sent events. */
export interface SseDecoder extends PayloadDecoder {
  /** Holds the source's end back until an asynchronous schema has validated every event. */
  readonly holdEnd: MonoTypeOperatorFunction<never>;
}

/** Makes the decoder of one subscription. It emits to the subscriber. */
export function createSseDecoder<T>(
  options: ParseSseOptions | ParseSseJsonOptions<T>,
  subscriber: Subscriber<ServerSentEvent<T> | ServerSentEvent>,
): SseDecoder {
  const { maxEventBytes = 8 * 1024 * 1024, endMarker } = options;
  // Without a schema the parser of records is never called.
  const recordOptions = options as RecordOptions<T>;
  let retryMs: number | undefined;
  let lastEventId: string | undefined;
  /** The id of the last event that was emitted. */
  let emittedId: string | undefined;
  /** Whether the payload has stated anything that belongs to server-sent events, apart from comments. */
  let isEventStream = false;
  /** The payload's beginning, from its first line that is neither blank nor a comment. */
  let beginning = '';
  /** Where that line begins. */
  let place: LinePosition | undefined;

  const parser = createParser({
    onRetry(ms) {
      retryMs = ms;
      isEventStream = true;
    },
    onError({ type }) {
      isEventStream ||= type === 'invalid-retry';
    },
    onEvent({ id, event, data }) {
      // `feed` has added an empty data line. So the data is empty where the event has no data line of its own, and ends
      // in a line feed otherwise.
      const hasData = data !== '';
      isEventStream ||= hasData || id !== undefined || event !== undefined;
      lastEventId = id ?? lastEventId;
      if (hasData) take(id, event, data.slice(0, -1));
    },
  });

  const take = (id: string | undefined, event: string | undefined, data: string): void => {
    if (data === endMarker) return;
    const eventId = lastEventId;
    const head = {
      ...(id !== undefined && { id }),
      ...(eventId !== undefined && { lastEventId: eventId }),
      ...(event !== undefined && { event }),
      ...(retryMs !== undefined && { retryMs }),
    };
    retryMs = undefined;
    const emit = (value: T | string): void => {
      emittedId = eventId;
      subscriber.next({ ...head, data: value } as ServerSentEvent<T> | ServerSentEvent);
    };
    if (recordOptions.schema) records.parse(data, emit);
    else emit(data);
  };

  /**
   * Feeds text to the parser. The parser reports no event without data, and so no `id` of one. One more data line
   * before the blank line makes it report every event.
   */
  const feed = (piece: string, endsEvent: boolean): void => {
    if (!isEventStream && beginning.length < excerptLength) {
      beginning = (beginning + piece).replace(/^(?:(?::[^\n]*)?\n)+/, '').slice(0, excerptLength);
      if (beginning !== '' && !beginning.startsWith(':')) place ??= scanner.position();
    }
    parser.feed(endsEvent ? `${piece.slice(0, -1)}data:\n\n` : piece);
  };

  const restartParser = (): void => {
    parser.reset();
    // The parser takes the characters ï»¿ for a byte order mark where they are the first that it is fed. The scanner
    // has dropped the real mark before. So a blank line is fed first, which has no meaning. Empty text would not do,
    // because eventsource-parser 4 ignores it.
    parser.feed('\n');
    retryMs = undefined;
  };

  restartParser();
  const scanner = createEventScanner(subscriber, feed, maxEventBytes);
  const records = createRecordParser(recordOptions, subscriber, scanner.position);
  return {
    ...scanner,
    holdEnd: records.holdEnd,
    reset(mode) {
      restartParser();
      scanner.reset(mode, records.clear());
      lastEventId = mode === 'restart' ? undefined : emittedId;
      if (mode === 'restart') isEventStream = false;
      beginning = '';
      place = undefined;
    },
    flush() {
      scanner.flush();
      if (isEventStream || !place) return;
      const [text = ''] = beginning.split('\n');
      throw new InvalidRecordError('not a stream of server-sent events', { ...place, text });
    },
  };
}
