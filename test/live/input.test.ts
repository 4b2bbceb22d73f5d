import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { InvokeWithResponseStreamCommand } from '@aws-sdk/client-lambda';
import { EMPTY, NEVER, of, throwError } from 'rxjs';
import { invokeWithResponseStream, type InvokeInput } from 'rx-lambda-stream';
import { scripted } from 'rx-lambda-stream/local';
import { describe, expect, it, onTestFinished } from 'vitest';
import { outcomeOf, typesOf } from '../support/collect.js';
import { gate, startLive } from '../support/live.js';

const done = scripted([{ complete: {} }]);

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

describe('Payload', () => {
  const bytes = new TextEncoder().encode('{"as":"bytes"}');
  it.each<[string, InvokeInput['Payload'], string]>([
    ['a string', '{"as":"text €"}', '{"as":"text €"}'],
    ['bytes', bytes, '{"as":"bytes"}'],
    ['an ArrayBuffer', bytes.slice().buffer, '{"as":"bytes"}'],
    ['an ArrayBuffer of another realm', runInNewContext('Uint8Array.of(91, 93).buffer') as ArrayBuffer, '[]'],
    ['a view into a buffer', new DataView(bytes.buffer, 1, 4), '"as"'],
    ['a Blob', new Blob(['{"as":', '"blob"}']), '{"as":"blob"}'],
    ['a File', new File(['{"as":"file"}'], 'event.json'), '{"as":"file"}'],
    ['a plain object', { as: { json: ['€', 1, null] } }, '{"as":{"json":["€",1,null]}}'],
    ['an array', [1, { two: 2 }], '[1,{"two":2}]'],
  ])('is sent from %s', async (_what, Payload, expected) => {
    const { local, client } = await startLive({ f: done });
    const { completed } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f', Payload }));
    expect(completed).toBe(true);
    expect(text(local.requests[0]?.payload)).toBe(expected);
  });

  it('that is absent is what the SDK makes of it', async () => {
    const { local, client } = await startLive({ f: done });
    await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f' }));
    await client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'f' }));
    const [ours, theirs] = local.requests.map(({ payload }) => text(payload));
    expect(ours).toBe(theirs);
  });

  it('is read anew from a file for each subscription', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'payload-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'event.json');
    await writeFile(file, '{"from":"disk"}');
    const { local, client } = await startLive({ f: done });
    const stream = invokeWithResponseStream(client, { FunctionName: 'f', Payload: await openAsBlob(file) });
    await outcomeOf(stream);
    await outcomeOf(stream);
    expect(local.requests.map(({ payload }) => text(payload))).toEqual(['{"from":"disk"}', '{"from":"disk"}']);
  });

  it('that cannot be read any more is the stream’s error, and nothing is sent', async () => {
    const { local, client } = await startLive({ f: done });
    const blob = { arrayBuffer: () => Promise.reject(new Error('file changed')), stream: () => undefined };
    const { error } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f', Payload: blob }));
    expect(error).toEqual(new Error('file changed'));
    expect(local.requests).toHaveLength(0);
  });

  it.each([
    ['a number', 1],
    ['null', null],
    ['a function', () => 1],
    ['a web stream', new ReadableStream()],
    ['a Node stream', process.stdin],
  ])('of the kind "%s" is refused at the call', async (_what, Payload) => {
    const { client } = await startLive({ f: done });
    expect(() => invokeWithResponseStream(client, { FunctionName: 'f', Payload: Payload as object })).toThrow(
      TypeError,
    );
  });
});

describe('a function for an input', () => {
  it.each([
    ['a value', () => ({ FunctionName: 'f' })],
    ['a promise', () => Promise.resolve({ FunctionName: 'f' })],
    ['an Observable, of which the first value counts', () => of({ FunctionName: 'f' }, { FunctionName: 'other' })],
  ])('may answer with %s', async (_what, input) => {
    const { local, client } = await startLive({ f: done });
    const { values } = await outcomeOf(invokeWithResponseStream(client, input));
    expect(typesOf(values)).toBe('head complete');
    expect(local.requests.map(({ functionName }) => functionName)).toEqual(['f']);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no input');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no input'))],
    ['errors', () => throwError(() => new Error('no input'))],
  ])('that %s gives its error to the stream, and nothing is sent', async (_how, input) => {
    const { local, client } = await startLive({ f: done });
    expect((await outcomeOf(invokeWithResponseStream(client, input))).error).toEqual(new Error('no input'));
    expect(local.requests).toHaveLength(0);
  });

  it('that answers with an empty Observable, or with no input, is a TypeError', async () => {
    const { client } = await startLive({ f: done });
    expect((await outcomeOf(invokeWithResponseStream(client, () => EMPTY))).error).toBeInstanceOf(TypeError);
    const nothing = (): InvokeInput => undefined as unknown as InvokeInput;
    expect((await outcomeOf(invokeWithResponseStream(client, nothing))).error).toBeInstanceOf(TypeError);
  });

  it('is unsubscribed from with the stream, and sends nothing afterwards', async () => {
    const { local, client } = await startLive({ f: done });
    invokeWithResponseStream(client, () => NEVER)
      .subscribe()
      .unsubscribe();
    const { opened, open } = gate();
    invokeWithResponseStream(client, async () => {
      await opened;
      return { FunctionName: 'f' };
    })
      .subscribe()
      .unsubscribe();
    open();
    await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f', Payload: 'marker' }));
    expect(local.requests.map(({ payload }) => text(payload))).toEqual(['marker']);
  });
});

describe('ClientContext', () => {
  const context = { client: { installation_id: 'ï' }, env: { locale: 'de' } };

  it('is sent as base64 JSON from an object, and as it is from a string', async () => {
    const { local, client } = await startLive({ f: done });
    const encoded = Buffer.from(JSON.stringify(context)).toString('base64');
    await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f', ClientContext: context }));
    await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f', ClientContext: encoded }));
    expect(local.requests.map(({ headers }) => headers['x-amz-client-context'])).toEqual([encoded, encoded]);
    expect(local.requests.map(({ clientContext }) => clientContext)).toEqual([context, context]);
  });

  it('over 3,583 bytes of base64 is a RangeError that names the limit', async () => {
    const { client } = await startLive({ f: done });
    // 2,685 bytes are 3,580 in base64, one more makes it 3,584.
    const fits = { a: 'x'.repeat(2_685 - '{"a":""}'.length) };
    const tooLong = { a: `${fits.a}x` };
    expect(
      (await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f', ClientContext: fits }))).completed,
    ).toBe(true);
    expect(() => invokeWithResponseStream(client, { FunctionName: 'f', ClientContext: tooLong })).toThrow(RangeError);
    expect(() => invokeWithResponseStream(client, { FunctionName: 'f', ClientContext: 'x'.repeat(3_584) })).toThrow(
      /3583/,
    );
    const late = await outcomeOf(
      invokeWithResponseStream(client, () => ({ FunctionName: 'f', ClientContext: tooLong })),
    );
    expect(late.error).toBeInstanceOf(RangeError);
  });
});

describe('the other members', () => {
  it('pass through, as the SDK itself sends them', async () => {
    const { local, client } = await startLive({ f: done });
    const input = {
      FunctionName: 'f',
      InvocationType: 'RequestResponse',
      LogType: 'Tail',
      Qualifier: '7',
      // Dropped by an SDK that is older than this member.
      TenantId: 'tenant one',
    } as const;
    await outcomeOf(invokeWithResponseStream(client, input));
    await client.send(new InvokeWithResponseStreamCommand(input));
    const [ours, theirs] = local.requests.map(
      ({ functionName, invocationType, logType, qualifier, tenantId, payload }) => ({
        functionName,
        invocationType,
        logType,
        qualifier,
        tenantId,
        payload,
      }),
    );
    expect(ours).toEqual(theirs);
    expect(ours).toMatchObject({
      functionName: 'f',
      invocationType: 'RequestResponse',
      logType: 'Tail',
      qualifier: '7',
    });
  });

  it('an invalid FunctionName is refused at the call', async () => {
    const { client } = await startLive({ f: done });
    for (const FunctionName of [undefined, '', 5]) {
      expect(() => invokeWithResponseStream(client, { FunctionName: FunctionName as string })).toThrow(TypeError);
    }
    expect(() => invokeWithResponseStream(client, { FunctionName: 'f' }, { functionErrors: 'log' as 'throw' })).toThrow(
      TypeError,
    );
  });

  it('DryRun with a 204 completes after its head, without InvokeComplete', async () => {
    const { local, client } = await startLive({ f: scripted([{ head: { statusCode: 204 } }]) });
    const { values, completed } = await outcomeOf(
      invokeWithResponseStream(client, { FunctionName: 'f', InvocationType: 'DryRun' }),
    );
    expect(completed).toBe(true);
    expect(values).toMatchObject([{ type: 'head', statusCode: 204 }]);
    expect(local.requests[0]?.invocationType).toBe('DryRun');
  });

  it('DryRun with a 200 is an ordinary stream', async () => {
    const { client } = await startLive({ f: scripted([{ chunk: 'ran' }, { complete: {} }]) });
    const { values } = await outcomeOf(
      invokeWithResponseStream(client, { FunctionName: 'f', InvocationType: 'DryRun' }),
    );
    expect(typesOf(values)).toBe('head chunk complete');
  });
});
