import type { InvokeWithResponseStreamResponseEvent } from '@aws-sdk/client-lambda';
import { concatMap, map, of, tap } from 'rxjs';
import {
  DetachedPayloadError,
  invokeWithResponseStream,
  retryInvocation,
  type LambdaStreamClient,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { scripted } from 'rx-lambda-stream/local';
import { chunkEvent, completeEvent, fakeInvoke, headEvent } from 'rx-lambda-stream/testing';
import { describe, expect, it } from 'vitest';
import { createMessageDecoder } from '../../src/event-stream/message-decoder.js';
import { outcomeOf, textOf } from '../support/collect.js';
import { chunkFrame, completeFrame, concat } from '../support/frames.js';
import { httpHandlers, startLive } from '../support/live.js';

const input = { FunctionName: 'f' };

/** Ways in which a consumer gives a payload's buffer away. */
const transfers: readonly [string, (payload: Uint8Array) => void][] = [
  ['structuredClone', (payload) => void structuredClone(payload, { transfer: [payload.buffer as ArrayBuffer] })],
  [
    'postMessage',
    (payload) => {
      const { port1, port2 } = new MessageChannel();
      port1.postMessage(payload, [payload.buffer as ArrayBuffer]);
      port1.close();
      port2.close();
    },
  ],
  [
    'a byte stream',
    (payload) => {
      new ReadableStream({ type: 'bytes', start: (controller) => controller.enqueue(payload as never) });
    },
  ],
];

const isChunk = (event: LambdaStreamEvent, text: string): boolean =>
  event.type === 'chunk' && new TextDecoder().decode(event.payload) === text;

describe.each(httpHandlers)('over %s', (_name, requestHandler) => {
  it.each(transfers)('a consumer that gives a chunk away by %s gets an error, and no success', async (_how, give) => {
    // In one read, of which the first frame is followed by others.
    const words = ['one ', 'two ', 'three ', 'four'].map((word) => chunkFrame(word));
    const { client, local } = await startLive(
      { f: scripted([{ raw: concat(...words, completeFrame()) }, 'end']) },
      { requestHandler: requestHandler() },
    );
    const { values, error, completed } = await outcomeOf(
      invokeWithResponseStream(client, input).pipe(
        map((event) => {
          if (event.type !== 'chunk') return '';
          const text = new TextDecoder().decode(event.payload);
          if (text === 'one ') give(event.payload);
          return text;
        }),
      ),
    );
    expect(completed).toBe(false);
    expect(error).toBeInstanceOf(DetachedPayloadError);
    expect((error as Error).message).toContain('slice()');
    expect(values.join('')).toBe('one ');
    await local.idle();
  });

  it('a consumer that gives copies away gets everything', async () => {
    const { client } = await startLive(
      { f: scripted([{ raw: concat(chunkFrame('one '), chunkFrame('two'), completeFrame()) }, 'end']) },
      { requestHandler: requestHandler() },
    );
    const { values, completed } = await outcomeOf(
      invokeWithResponseStream(client, input).pipe(
        tap((event) => {
          if (event.type !== 'chunk') return;
          const copy = event.payload.slice();
          structuredClone(copy, { transfer: [copy.buffer] });
        }),
      ),
    );
    expect([textOf(values), completed]).toEqual(['one two', true]);
  });
});

describe('the decoder', () => {
  it.each([
    ['in one read', (bytes: Uint8Array) => [bytes]],
    [
      'in reads of 7 bytes',
      (bytes: Uint8Array) =>
        Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.slice(i * 7, i * 7 + 7)),
    ],
  ])('notices a payload that is given away, %s', (_how, cut) => {
    const seen: string[] = [];
    const decoder = createMessageDecoder((_headers, payload) => {
      seen.push(new TextDecoder().decode(payload));
      structuredClone(payload, { transfer: [payload.buffer as ArrayBuffer] });
      return true;
    });
    const decodeAll = (): void => {
      for (const piece of cut(concat(chunkFrame('a'), chunkFrame('b')))) decoder.decode(piece);
    };
    expect(decodeAll).toThrow(DetachedPayloadError);
    expect(seen).toEqual(['a']);
  });

  it('throws nothing where the listener has ended the decoding', () => {
    const decoder = createMessageDecoder((_headers, payload) => {
      structuredClone(payload, { transfer: [payload.buffer as ArrayBuffer] });
      return false;
    });
    expect(() => decoder.decode(concat(chunkFrame('a'), chunkFrame('b')))).not.toThrow();
  });
});

describe('a mocked client', () => {
  it('whose events share a buffer that was given away is an error, and not a truncated stream', async () => {
    const shared = new TextEncoder().encode('onetwo');
    const [one, two] = [shared.subarray(0, 3), shared.subarray(3)];
    async function* events(): AsyncGenerator<InvokeWithResponseStreamResponseEvent> {
      await Promise.resolve();
      yield { PayloadChunk: { Payload: one } };
      yield { PayloadChunk: { Payload: two } };
      yield { InvokeComplete: {} };
    }
    const client: LambdaStreamClient = { send: () => Promise.resolve({ EventStream: events() }) };
    const { error } = await outcomeOf(
      invokeWithResponseStream(client, input).pipe(
        tap((event) => {
          if (event.type === 'chunk')
            structuredClone(event.payload, { transfer: [event.payload.buffer as ArrayBuffer] });
        }),
      ),
    );
    expect(error).toBeInstanceOf(DetachedPayloadError);
  });
});

describe('fakeInvoke', () => {
  it('does not play a chunk that an earlier consumer gave away as if it were empty', async () => {
    const invoke = fakeInvoke({ f: of(headEvent(), chunkEvent('text'), completeEvent()) });
    const client = { send: () => Promise.resolve({}) };
    const first = await outcomeOf(
      invoke(client, input).pipe(
        tap((event) => {
          if (isChunk(event, 'text') && event.type === 'chunk') {
            structuredClone(event.payload, { transfer: [event.payload.buffer as ArrayBuffer] });
          }
        }),
      ),
    );
    expect(first.completed).toBe(true);
    const second = await outcomeOf(invoke(client, input));
    expect(second.error).toBeInstanceOf(DetachedPayloadError);
    expect(invoke.invocations[1]?.state).toBe('failed');
  });
});

describe('retryInvocation', () => {
  it.each(['error', 'replay', 'restart'] as const)(
    'passes no chunk on that was given away before it, under %s, and does not try again',
    async (afterFirstChunk) => {
      let subscriptions = 0;
      const source = of<LambdaStreamEvent[]>(headEvent(), chunkEvent('a'), chunkEvent('b'), completeEvent()).pipe(
        concatMap((event, index) => {
          if (index === 0) subscriptions++;
          if (isChunk(event, 'b') && event.type === 'chunk') {
            structuredClone(event.payload, { transfer: [event.payload.buffer as ArrayBuffer] });
          }
          return [event];
        }),
      );
      const { error } = await outcomeOf(source.pipe(retryInvocation({ idempotent: true, afterFirstChunk })));
      expect(error).toBeInstanceOf(DetachedPayloadError);
      expect(subscriptions).toBe(1);
    },
  );
});
