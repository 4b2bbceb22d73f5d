import fc from 'fast-check';
import { chunkFrame, completeFrame, concat, encodeFrame } from '../support/frames.js';
import { inWords, toBytes } from './rules/events.js';
import type { ModelFrame } from './rules/exchange.js';

/** What a function sends over the wire. */
export interface WireDocument {
  readonly bytes: Uint8Array;
  readonly frames: readonly ModelFrame[];
  /** Bytes behind the end of the response, which nobody is told of. */
  readonly trailing: number;
}

type Last = 'complete' | 'function error' | 'exception' | 'damaged' | 'no message type' | 'none';

function chunk(payload: string): [Uint8Array, Omit<ModelFrame, 'length'>] {
  return [chunkFrame(toBytes(payload)), { event: inWords({ type: 'chunk', bytes: payload }) }];
}

function unknown(payload: string): [Uint8Array, Omit<ModelFrame, 'length'>] {
  const frame = encodeFrame({ ':event-type': 'New', ':message-type': 'event' }, payload);
  return [frame, { event: inWords({ type: 'unknown', bytes: payload }) }];
}

function last(kind: Exclude<Last, 'none'>, functionErrors: 'throw' | 'emit'): [Uint8Array, Omit<ModelFrame, 'length'>] {
  switch (kind) {
    case 'complete':
      return [completeFrame(), { event: inWords({ type: 'complete' }), ending: 'complete' }];
    case 'function error': {
      const frame = completeFrame({ ErrorCode: 'Unhandled', ErrorDetails: '{}' });
      const event = inWords({ type: 'complete', errorCode: 'Unhandled' });
      return [frame, functionErrors === 'emit' ? { event, ending: 'complete' } : { ending: 'FunctionError Unhandled' }];
    }
    case 'exception': {
      const headers = { ':message-type': 'exception', ':exception-type': 'TooManyRequestsException' };
      return [encodeFrame(headers, '{"message":"slow down"}'), { ending: 'TooManyRequestsException' }];
    }
    case 'damaged': {
      const frame = chunkFrame('damaged');
      frame[frame.length - 1]! ^= 1;
      return [frame, { ending: 'ProtocolError' }];
    }
    case 'no message type':
      return [encodeFrame({ ':event-type': 'PayloadChunk' }, 'odd'), { ending: 'ProtocolError' }];
  }
}

const payloads = fc.string({ unit: 'binary-ascii', maxLength: 40 });

export function wireDocuments(functionErrors: 'throw' | 'emit'): fc.Arbitrary<WireDocument> {
  return fc
    .record({
      pieces: fc.array(
        fc.oneof({ weight: 6, arbitrary: payloads.map(chunk) }, { weight: 1, arbitrary: payloads.map(unknown) }),
        { maxLength: 8 },
      ),
      end: fc.constantFrom<Last[]>(
        'complete',
        'complete',
        'complete',
        'function error',
        'exception',
        'damaged',
        'no message type',
        'none',
      ),
      trailing: fc.constantFrom(0, 0, 100, 70_000),
    })
    .map(({ pieces, end, trailing }) => {
      const all = end === 'none' ? pieces : [...pieces, last(end, functionErrors)];
      return {
        bytes: concat(...all.map(([frame]) => frame), new Uint8Array(end === 'none' ? 0 : trailing)),
        frames: all.map(([{ length }, meaning]) => ({ length, ...meaning })),
        trailing: end === 'none' ? 0 : trailing,
      };
    });
}
