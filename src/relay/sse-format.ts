import { answerFailure } from './failure-answer.js';
import { generationOf, isRestart, type StreamEvent, type StreamFormat } from './stream-format.js';

const encoder = new TextEncoder();
/** The decoder keeps a byte order mark, because positions count its bytes. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const noBytes = new Uint8Array(0);

/** A chunk as it was formatted for a client whose text ended at `from`. */
interface FormattedChunk {
  readonly position: string;
  readonly from: string;
  readonly pieces: readonly Uint8Array[];
  readonly border: string;
  readonly rest: Uint8Array;
}

/**
 * The formatted chunks by their payload. Clients at the same position of an invocation get the same bytes, so that a
 * message is formatted once for all of them.
 */
const formattedChunks = new WeakMap<Uint8Array, FormattedChunk>();

/**
 * Writes server-sent events. Text is a JSON string, which keeps its line ends. `restart`, `end` and `failure` are event
 * types.
 *
 * Each block has an id: a position in bytes, always between two characters. The bytes of an unfinished character, at
 * most three, wait for the rest.
 *
 * @param place - The position from which the client goes on. Undefined while it is not known.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html the format
 */
export function createSseFormat(place: string | undefined, expose: 'all' | undefined): StreamFormat {
  /** The position after the last complete character. */
  let border = place ?? '0-0';
  let isPlaced = place !== undefined;
  /** The bytes of an unfinished character. */
  let rest: Uint8Array = noBytes;

  function block(id: string, data?: string, event?: string): Uint8Array {
    const type = event === undefined ? '' : `event: ${event}\n`;
    return encoder.encode(`${type}id: ${id}\n${data === undefined ? '' : `data: ${data}\n`}\n`);
  }

  function text({ payload, position }: { payload: Uint8Array; position: string }): readonly Uint8Array[] {
    let formatted = formattedChunks.get(payload);
    // Clients at an equal position hold the same unfinished character, because the bytes before it are the same.
    if (formatted === undefined || formatted.from !== border || formatted.position !== position) {
      const bytes = rest.length === 0 ? payload : concat(rest, payload);
      const held = unfinishedBytes(bytes);
      const whole = bytes.subarray(0, bytes.length - held);
      const end = move(position, -held);
      formatted = {
        position,
        from: border,
        border: whole.length === 0 ? border : end,
        pieces: whole.length === 0 ? [] : [block(end, JSON.stringify(decoder.decode(whole)))],
        // A copy: a view would hold the whole read.
        rest: held === 0 ? noBytes : bytes.slice(bytes.length - held),
      };
      formattedChunks.set(payload, formatted);
    }
    border = formatted.border;
    rest = formatted.rest;
    return formatted.pieces;
  }

  /** Writes the bytes that are left at the end as U+FFFD, because they are not a character. */
  function flush(): Uint8Array[] {
    if (rest.length === 0) return [];
    border = move(border, rest.length);
    const message = block(border, JSON.stringify(decoder.decode(rest)));
    rest = noBytes;
    return [message];
  }

  return {
    contentType: 'text/event-stream',
    ping: encoder.encode(': ping\n\n'),
    opening: place === undefined ? encoder.encode(': open\n\n') : block(place),
    place(position) {
      if (isPlaced) return undefined;
      isPlaced = true;
      border = position;
      return block(position);
    },
    event(event) {
      if (event.type === 'chunk') return text(event);
      if (event.type === 'complete') {
        if (event.errorCode !== undefined) return [...flush(), failed(event.errorCode, event)];
        return [...flush(), block(`${event.position}/end`, '{}', 'end')];
      }
      if (isRestart(event)) {
        border = event.position;
        rest = noBytes;
        return [block(border, '{}', 'restart')];
      }
      return [];
    },
    failure(error) {
      const { name, body } = answerFailure(error, expose);
      const { Message, Type: _type, ours: _ours, ...members } = body;
      const data = JSON.stringify({ name, ...members, message: members['message'] ?? Message });
      return [block(`${border}/end`, data, 'failure')];
    },
  };

  /** Describes a function's failure that `open` asked for as an event. */
  function failed(errorCode: string, event: StreamEvent & { type: 'complete' }): Uint8Array {
    const details = expose === 'all' && event.errorDetails !== undefined ? { errorDetails: event.errorDetails } : {};
    const data = {
      name: 'FunctionError',
      code: 'function-error',
      errorCode,
      ...details,
      message: 'The function failed',
    };
    return block(`${event.position}/end`, JSON.stringify(data), 'failure');
  }
}

/** Returns how many bytes at the end belong to an unfinished character: at most three. */
function unfinishedBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const length =
      byte >= 0xf0 && byte <= 0xf4 ? 4 : byte >= 0xe0 && byte <= 0xef ? 3 : byte >= 0xc2 && byte <= 0xdf ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

function move(position: string, bytes: number): string {
  return bytes === 0
    ? position
    : `${generationOf(position)}-${Number(position.slice(position.indexOf('-') + 1)) + bytes}`;
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
