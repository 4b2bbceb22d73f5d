import { from, mergeMap, take } from 'rxjs';
import { invokeWithResponseStream, type LambdaStreamEvent } from 'rx-lambda-stream';
import { scripted } from 'rx-lambda-stream/local';
import { describe, expect, it } from 'vitest';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';
import { chunkFrame, completeFrame, concat } from '../support/frames.js';
import { gate, httpHandlers, startLive } from '../support/live.js';

describe.each(httpHandlers)('with %s', (_name, requestHandler) => {
  it('the head is there at the HTTP headers, while the first frame is still held back', async () => {
    const { opened, open } = gate();
    const { client } = await startLive(
      { slow: scripted(['flush', { waitFor: opened }, { chunk: 'late' }, { complete: {} }]) },
      { requestHandler: requestHandler() },
    );
    const events: LambdaStreamEvent[] = [];
    await new Promise<void>((resolve, reject) => {
      invokeWithResponseStream(client, { FunctionName: 'slow' }).subscribe({
        next(event) {
          events.push(event);
          // Only the head's arrival lets the server go on: were it late, nothing would ever come.
          if (event.type === 'head') open();
        },
        complete: resolve,
        error: reject,
      });
    });
    expect(typesOf(events)).toBe('head chunk complete');
  });

  it('the head says what the headers say, with the function’s own content type', async () => {
    const { local, client } = await startLive(
      {
        typed: scripted([
          { head: { headers: { 'x-amzn-remapped-content-type': 'text/html', 'x-amz-executed-version': '12' } } },
          { complete: {} },
        ]),
        untyped: scripted([{ head: { headers: { 'x-amzn-remapped-content-type': undefined } } }, { complete: {} }]),
      },
      { requestHandler: requestHandler() },
    );
    const [typed] = (await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'typed' }))).values;
    expect(typed).toMatchObject({
      type: 'head',
      statusCode: 200,
      executedVersion: '12',
      contentType: 'text/html',
      requestId: local.requests[0]?.requestId,
      headers: { 'content-type': 'application/vnd.amazon.eventstream', 'x-amz-executed-version': '12' },
    });
    const [untyped] = (await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'untyped' }))).values;
    expect(untyped).toMatchObject({ contentType: 'application/vnd.amazon.eventstream' });
  });

  it('chunks are plain Uint8Arrays with the bytes that the function wrote', async () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) & 255);
    const { client } = await startLive(
      { bytes: scripted([{ chunk: bytes }, { chunk: '€' }, { complete: {} }]) },
      { requestHandler: requestHandler() },
    );
    const { values } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'bytes' }));
    const payloads = values.flatMap((event) => (event.type === 'chunk' ? [event.payload] : []));
    expect(payloads.map((payload) => payload.constructor)).toEqual(payloads.map(() => Uint8Array));
    expect(concat(...payloads)).toEqual(concat(bytes, new TextEncoder().encode('€')));
  });

  it('payloads stay as they were while the stream goes on', async () => {
    const { client } = await startLive(
      {
        many: async function* () {
          await Promise.resolve();
          for (let i = 0; i < 2_000; i++) yield `${i},`.repeat(20);
        },
      },
      { requestHandler: requestHandler() },
    );
    const { values, completed } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'many' }));
    expect(completed).toBe(true);
    expect(textOf(values)).toBe(Array.from({ length: 2_000 }, (_, i) => `${i},`.repeat(20)).join(''));
  });

  it('what follows InvokeComplete on the wire is ignored', async () => {
    const { client } = await startLive(
      {
        more: scripted([{ raw: concat(chunkFrame('a'), completeFrame(), chunkFrame('b'), completeFrame()) }]),
        noise: scripted([{ complete: {} }, { raw: 'no frame at all, longer than a prelude' }]),
        cut: scripted([{ complete: {} }, 'reset']),
        never: scripted([{ complete: {} }, 'stall']),
      },
      { requestHandler: requestHandler() },
    );
    const expected = {
      more: 'head chunk complete',
      noise: 'head complete',
      cut: 'head complete',
      never: 'head complete',
    };
    for (const [FunctionName, types] of Object.entries(expected)) {
      const { values, completed } = await outcomeOf(invokeWithResponseStream(client, { FunctionName }));
      expect([FunctionName, typesOf(values), completed]).toEqual([FunctionName, types, true]);
    }
  });

  it('a connection whose response never ends after InvokeComplete is closed', async () => {
    const { local, client } = await startLive(
      {
        never: scripted([{ complete: {} }, 'stall']),
        talks: scripted([{ complete: {} }, { raw: new Uint8Array(1024 * 1024) }, 'stall']),
      },
      { requestHandler: requestHandler() },
    );
    for (const [i, FunctionName] of ['never', 'talks'].entries()) {
      expect((await outcomeOf(invokeWithResponseStream(client, { FunctionName }))).completed).toBe(true);
      expect(await local.requests[i]?.closedEarly).toBe(true);
    }
  });
});

it('unknown events are passed on as they came', async () => {
  const { client } = await startLive({
    f: scripted([
      { unknownEvent: { eventType: 'Progress', payload: '{"done":0.5}', headers: { note: 'half' } } },
      { chunk: 'x' },
      { complete: {} },
    ]),
  });
  const { values } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f' }));
  expect(values[1]).toMatchObject({
    type: 'unknown',
    eventType: 'Progress',
    headers: { ':event-type': 'Progress', ':message-type': 'event', note: 'half' },
    payload: new TextEncoder().encode('{"done":0.5}'),
  });
  expect(typesOf(values)).toBe('head unknown chunk complete');
});

it('logTail is the decoded LogResult', async () => {
  const { client } = await startLive({
    f: scripted([{ complete: { logTail: 'START\nREPORT Duration: 1 ms — ok\n' } }]),
  });
  const { values } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f', LogType: 'Tail' }));
  expect(values.at(-1)).toEqual({ type: 'complete', logTail: 'START\nREPORT Duration: 1 ms — ok\n' });
});

it('a stream without a Content-Type is judged by its frames', async () => {
  const { client } = await startLive({
    f: scripted([
      { head: { headers: { 'content-type': undefined, 'x-amzn-remapped-content-type': undefined } } },
      { chunk: 'a' },
      { complete: {} },
    ]),
  });
  const { values } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f' }));
  expect(typesOf(values)).toBe('head chunk complete');
  expect(values[0]).not.toHaveProperty('contentType');
});

it('many streams at once keep their bytes apart', async () => {
  const { client } = await startLive({
    echo: async function* (event: { name: string }) {
      for (let i = 0; i < 5; i++) {
        await new Promise((resolve) => setImmediate(resolve));
        yield event.name;
      }
    },
  });
  const names = Array.from({ length: 40 }, (_, i) => `stream ${i};`);
  const { values } = await outcomeOf(
    from(names).pipe(
      mergeMap(async (name) => {
        const { values: events } = await outcomeOf(
          invokeWithResponseStream(client, { FunctionName: 'echo', Payload: { name } }),
        );
        return [name, textOf(events)] as const;
      }),
      take(names.length),
    ),
  );
  expect(values.map(([name, text]) => text === name.repeat(5))).toEqual(names.map(() => true));
});
