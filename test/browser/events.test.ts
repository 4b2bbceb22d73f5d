import { of, throwError } from 'rxjs';
import {
  collectResponse,
  decodeText,
  invokeWithResponseStream,
  parseNdjson,
  type InvokeInput,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createClient, defineFunction } from '../support/browser-lambda.js';
import { encodeJson } from '../support/browser-protocol.js';
import { showsHeadersAlone } from '../support/browser-platform.js';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';
import { chunkFrame, completeFrame, concat, cutAt } from '../support/frames.js';

it('the client is the SDK’s browser build, and nothing of Node is there', () => {
  const { config } = createClient();
  expect(config.runtime).toBe('browser');
  // Class names are minified in applications, but not here.
  expect(config.requestHandler.constructor.name).toBe('FetchHttpHandler');
  expect(globalThis).not.toHaveProperty('Buffer');
  expect((globalThis as { process?: { getBuiltinModule?: unknown } }).process?.getBuiltinModule).toBeUndefined();
});

const withFirstByte = 'the head comes with the first byte of the body, which Firefox waits for';
const atHeaders = 'the head is there at the HTTP headers, while the first frame is still held back';

it(showsHeadersAlone ? atHeaders : withFirstByte, async () => {
  const { name, open, requests } = await defineFunction([
    'flush',
    { gate: 'head' },
    { chunk: 'late' },
    { complete: {} },
  ]);
  const events: LambdaStreamEvent[] = [];
  const opened: Promise<void>[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    invokeWithResponseStream(createClient(), { FunctionName: name }).subscribe({
      next(event) {
        events.push(event);
        // Only the head's arrival lets the server go on: were it late, nothing would ever come.
        if (event.type === 'head') opened.push(open('head'));
      },
      complete: resolve,
      error: reject,
    });
  });
  if (!showsHeadersAlone) {
    await requests(1);
    expect(events).toEqual([]);
    opened.push(open('head'));
  }
  await ended;
  await Promise.all(opened);
  expect(typesOf(events)).toBe('head chunk complete');
});

it('the head says what CORS exposes: version, the function’s own content type, request id', async () => {
  const { name } = await defineFunction([
    { head: { headers: { 'x-amzn-remapped-content-type': 'text/html', 'x-amz-executed-version': '12' } } },
    { complete: {} },
  ]);
  const [head] = (await outcomeOf(invokeWithResponseStream(createClient(), { FunctionName: name }))).values;
  expect(head).toMatchObject({ type: 'head', statusCode: 200, executedVersion: '12', contentType: 'text/html' });
  expect(head).toHaveProperty('requestId', expect.stringMatching(/^[0-9a-f-]{36}$/));
});

it('chunks are plain Uint8Arrays with the bytes that the function wrote', async () => {
  const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) & 255);
  const { name } = await defineFunction([{ chunk: bytes }, { chunk: '€' }, { complete: {} }]);
  const { values } = await outcomeOf(invokeWithResponseStream(createClient(), { FunctionName: name }));
  const payloads = values.flatMap((event) => (event.type === 'chunk' ? [event.payload] : []));
  expect(payloads.map((payload) => payload.constructor)).toEqual(payloads.map(() => Uint8Array));
  expect(concat(...payloads)).toEqual(concat(bytes, new TextEncoder().encode('€')));
});

it('unknown events and the log’s tail arrive', async () => {
  const { name } = await defineFunction([
    { unknownEvent: { eventType: 'Progress', payload: '{"done":0.5}', headers: { note: 'half' } } },
    { complete: { logTail: 'REPORT Duration: 1 ms — ok\n' } },
  ]);
  const input = { FunctionName: name, LogType: 'Tail' } as const;
  const { values, completed } = await outcomeOf(invokeWithResponseStream(createClient(), input));
  expect(completed).toBe(true);
  expect(values.slice(1)).toEqual([
    {
      type: 'unknown',
      eventType: 'Progress',
      headers: expect.objectContaining({ ':event-type': 'Progress', note: 'half' }) as unknown,
      payload: new TextEncoder().encode('{"done":0.5}'),
    },
    { type: 'complete', logTail: 'REPORT Duration: 1 ms — ok\n' },
  ]);
});

describe('the same output at any cut', () => {
  const client = () => createClient();
  const cuts = fc.array(fc.nat(), { maxLength: 12 });

  /** The wire bytes of text in frames of any size, in network pieces of any size. */
  const piecesOf = (text: string, frameCuts: number[], wireCuts: number[]): Uint8Array[] => {
    const frames = cutAt(new TextEncoder().encode(text), frameCuts).map(chunkFrame);
    return cutAt(concat(...frames, completeFrame()), wireCuts).filter(({ length }) => length > 0);
  };

  it('of frames and of the wire, for decodeText', async () => {
    const lambda = client();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), cuts, cuts, async (text, frameCuts, wireCuts) => {
        const Payload = encodeJson(piecesOf(`a${text}`, frameCuts, wireCuts));
        const source = invokeWithResponseStream(lambda, { FunctionName: 'pieces', Payload });
        const { values, completed } = await outcomeOf(source.pipe(decodeText()));
        expect([values.join(''), completed]).toEqual([`a${text}`, true]);
      }),
      { numRuns: 40 },
    );
  });

  it('of frames and of the wire, for parseNdjson', async () => {
    const lambda = client();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 5 }), cuts, cuts, async (records, frameCuts, wireCuts) => {
        const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
        const Payload = encodeJson(piecesOf(text, frameCuts, wireCuts));
        const source = invokeWithResponseStream(lambda, { FunctionName: 'pieces', Payload });
        const { values, completed } = await outcomeOf(source.pipe(parseNdjson()));
        expect(completed).toBe(true);
        expect(JSON.stringify(values)).toBe(JSON.stringify(records));
      }),
      { numRuns: 40 },
    );
  });
});

describe('the payload', () => {
  it.each<[string, InvokeInput['Payload'], string]>([
    ['a string', '{"as":"text €"}', '{"as":"text €"}'],
    ['bytes', new TextEncoder().encode('{"as":"bytes"}'), '{"as":"bytes"}'],
    ['a Blob', new Blob(['{"as":', '"blob"}']), '{"as":"blob"}'],
    ['a File', new File(['{"as":"file"}'], 'event.json'), '{"as":"file"}'],
    ['a plain object', { as: { json: ['€', 1, null] } }, '{"as":{"json":["€",1,null]}}'],
    ['nothing', undefined, ''],
  ])('is sent from %s, and anew for each subscription', async (_what, Payload, expected) => {
    const { name, requests } = await defineFunction([{ complete: {} }]);
    const stream = invokeWithResponseStream(createClient(), { FunctionName: name, Payload });
    expect((await outcomeOf(stream)).completed).toBe(true);
    expect((await outcomeOf(stream)).completed).toBe(true);
    expect((await requests(2)).map(({ payload }) => payload)).toEqual([expected, expected]);
  });

  it('of a Blob that cannot be read any more is the stream’s error, and nothing is sent', async () => {
    const { name, requests } = await defineFunction([{ complete: {} }]);
    const blob = { arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotReadableError')) };
    const { error } = await outcomeOf(invokeWithResponseStream(createClient(), { FunctionName: name, Payload: blob }));
    expect(error).toMatchObject({ name: 'NotReadableError' });
    expect(await requests(0)).toEqual([]);
  });

  it('comes with all other members, which CORS lets through', async () => {
    const { name, requests } = await defineFunction([{ complete: {} }]);
    const input: InvokeInput = {
      FunctionName: name,
      ClientContext: { env: { locale: 'dé' } },
      InvocationType: 'RequestResponse',
      LogType: 'Tail',
      TenantId: 'tenant-1',
    };
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c' };
    const source = invokeWithResponseStream(createClient({ credentials }), () => of(input));
    expect((await outcomeOf(source)).completed).toBe(true);
    const [request] = await requests(1);
    expect(request?.headers).toMatchObject({
      'x-amz-invocation-type': 'RequestResponse',
      'x-amz-log-type': 'Tail',
      'x-amz-security-token': 'c',
      'x-amz-tenant-id': 'tenant-1',
    });
    const context = String(request?.headers['x-amz-client-context']);
    const bytes = Uint8Array.from(atob(context), (character) => character.charCodeAt(0));
    expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual({ env: { locale: 'dé' } });
  });

  it('from an input that fails is the stream’s error', async () => {
    const source = invokeWithResponseStream(createClient(), () => throwError(() => new Error('no input')));
    expect((await outcomeOf(source)).error).toEqual(new Error('no input'));
  });
});

it('collectResponse brings a whole response together', async () => {
  const { name } = await defineFunction([{ chunk: '{"answer"' }, { chunk: ':42}' }, { complete: {} }]);
  const source = invokeWithResponseStream(createClient(), { FunctionName: name });
  const { values } = await outcomeOf(source.pipe(collectResponse()));
  expect(values.map((response) => response.json())).toEqual([{ answer: 42 }]);
  expect(textOf((await outcomeOf(source)).values)).toBe('{"answer":42}');
});
