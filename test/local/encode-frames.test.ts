import { crc32 } from 'node:zlib';
import { scripted } from 'rx-lambda-stream/local';
import { expect, test } from 'vitest';
import { drive, post, streamPath } from './drive.js';

/** A frame written by hand from the format's description, with none of the endpoint's code. */
function frame(headers: readonly (readonly [string, string])[], payload: string): Buffer {
  const block = Buffer.concat(
    headers.flatMap(([name, value]) => [
      Buffer.from([name.length]),
      Buffer.from(name),
      Buffer.from([7, value.length >> 8, value.length & 0xff]),
      Buffer.from(value),
    ]),
  );
  const body = Buffer.from(payload);
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(16 + block.length + body.length, 0);
  prelude.writeUInt32BE(block.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const head = Buffer.concat([prelude, block, body]);
  const end = Buffer.alloc(4);
  end.writeUInt32BE(crc32(head));
  return Buffer.concat([head, end]);
}

const chunkHeaders = [
  [':event-type', 'PayloadChunk'],
  [':content-type', 'application/octet-stream'],
  [':message-type', 'event'],
] as const;
const completeHeaders = [
  [':event-type', 'InvokeComplete'],
  [':content-type', 'application/json'],
  [':message-type', 'event'],
] as const;

test('a stream is the frames that Lambda sends, byte for byte', async () => {
  const { local } = await drive({
    fn: async function* () {
      yield 'h€llo';
      yield await Promise.resolve({ n: 1 });
    },
  });
  const { body } = await post(local, { path: streamPath('fn') });
  expect(body).toEqual(
    Buffer.concat([frame(chunkHeaders, 'h€llo'), frame(chunkHeaders, '{"n":1}'), frame(completeHeaders, '{}')]),
  );
});

test('a scripted end carries its members in order, and the log as base64', async () => {
  const { local } = await drive({
    fn: scripted([{ complete: { errorCode: 'Unhandled', errorDetails: 'why', logTail: 'log €' } }]),
  });
  const { body } = await post(local, { path: streamPath('fn') });
  expect(body).toEqual(
    frame(
      completeHeaders,
      JSON.stringify({
        ErrorCode: 'Unhandled',
        ErrorDetails: 'why',
        LogResult: Buffer.from('log €').toString('base64'),
      }),
    ),
  );
});

test('exceptions, errors, unknown events and free frames have the headers of their kind', async () => {
  const { local } = await drive({
    fn: scripted([
      { exception: 'TooManyRequestsException', body: { Reason: 'CallerRateLimitExceeded' } },
      { errorFrame: { code: 'InternalError', message: 'oops' } },
      { unknownEvent: { eventType: 'Progress', payload: '50', headers: { unit: 'percent' } } },
      { frame: { headers: { a: 'b', ok: { type: 'boolean', value: true } } } },
    ]),
  });
  const { body } = await post(local, { path: streamPath('fn') });
  const boolean = Buffer.concat([
    Buffer.from([1]),
    Buffer.from('a'),
    Buffer.from([7, 0, 1]),
    Buffer.from('b'),
    Buffer.from([2]),
    Buffer.from('ok'),
    Buffer.from([0]),
  ]);
  const expected = Buffer.concat([
    frame(
      [
        [':exception-type', 'TooManyRequestsException'],
        [':content-type', 'application/json'],
        [':message-type', 'exception'],
      ],
      '{"Reason":"CallerRateLimitExceeded"}',
    ),
    frame(
      [
        [':error-code', 'InternalError'],
        [':error-message', 'oops'],
        [':message-type', 'error'],
      ],
      '',
    ),
    frame(
      [
        [':event-type', 'Progress'],
        [':content-type', 'application/octet-stream'],
        [':message-type', 'event'],
        ['unit', 'percent'],
      ],
      '50',
    ),
  ]);
  expect(body.subarray(0, expected.length)).toEqual(expected);
  expect(body.subarray(expected.length).includes(boolean)).toBe(true);
});

test('broken frames are broken in just the place that was asked for', async () => {
  const { local } = await drive({
    prelude: scripted([{ badCrc: 'prelude' }]),
    message: scripted([{ badCrc: 'message' }]),
    length: scripted([{ bogusLength: 4_000_000_000 }]),
  });
  const bytes = async (name: string): Promise<Buffer> => (await post(local, { path: streamPath(name) })).body;
  const preludeHolds = (bad: Buffer): boolean => bad.readUInt32BE(8) === crc32(bad.subarray(0, 8));
  const messageHolds = (bad: Buffer): boolean => bad.readUInt32BE(bad.length - 4) === crc32(bad.subarray(0, -4));

  const prelude = await bytes('prelude');
  expect(preludeHolds(prelude)).toBe(false);
  expect(prelude.readUInt32BE(0)).toBe(prelude.length);

  const message = await bytes('message');
  expect(preludeHolds(message)).toBe(true);
  expect(messageHolds(message)).toBe(false);

  const length = await bytes('length');
  expect(length.length).toBe(12);
  expect(length.readUInt32BE(0)).toBe(4_000_000_000);
  expect(preludeHolds(length)).toBe(true);
});
