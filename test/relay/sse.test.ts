import { once } from 'node:events';
import * as fc from 'fast-check';
import { concat, NEVER, of, throwError, type Observable } from 'rxjs';
import { TruncatedStreamError, type LambdaStreamEvent } from 'rx-lambda-stream';
import { chunkEvent, completeEvent, headEvent, retryEvent } from 'rx-lambda-stream/testing';
import { describe, expect, test } from 'vitest';
import { createSseFormat } from '../../src/relay/sse-format.js';
import { cutAt } from '../support/frames.js';
import { ask, readUntil, send, startRelay } from './relay-server.js';
import { stopClock } from './virtual-clock.js';

const sse = { accept: 'text/event-stream' };

/** The blocks of an event stream: each its fields; a comment is left out. */
function blocksOf(text: string): Record<string, string>[] {
  return text
    .split('\n\n')
    .map((block) => block.split('\n').filter((line) => line !== '' && !line.startsWith(':')))
    .filter((lines) => lines.length > 0)
    .map((lines) => Object.fromEntries(lines.map((line) => /^(\w+): (.*)$/.exec(line)?.slice(1) as [string, string])));
}

/** The text that an EventSource would put together, and the last id. */
function readText(text: string): { text: string; id: string | undefined } {
  const blocks = blocksOf(text);
  return {
    text: blocks
      .map(({ event, data }) => (event === undefined && data !== undefined ? (JSON.parse(data) as string) : ''))
      .join(''),
    id: blocks.at(-1)?.['id'],
  };
}

const keyed = (...events: LambdaStreamEvent[]) => ({ key: 'k', open: () => of(...events) });

describe('server-sent events', () => {
  test('any path, GET or POST: text as a JSON string, an id on every block, an end', async () => {
    const { url } = await startRelay({
      authorize: () => keyed(headEvent(), chunkEvent('a\nb\r\n'), chunkEvent(' "c"'), completeEvent()),
    });
    for (const method of ['GET', 'POST']) {
      const { status, headers, text } = await ask(url, { method, path: '/any/path?x=1', headers: sse });
      expect([status, headers['content-type']]).toEqual([200, 'text/event-stream']);
      const blocks = blocksOf(text);
      const generation = String(blocks[0]?.['id']).split('-')[0] ?? '';
      expect(blocks).toEqual([
        { id: `${generation}-0` },
        { id: `${generation}-5`, data: '"a\\nb\\r\\n"' },
        { id: `${generation}-9`, data: '" \\"c\\""' },
        { event: 'end', id: `${generation}-9/end`, data: '{}' },
      ]);
    }
  });

  test('the first block is sent at once with the headers, before the function has written', async () => {
    const { url } = await startRelay({ authorize: () => ({ key: 'k', open: () => NEVER }) });
    const response = await send(url, { headers: sse });
    await readUntil(response, /id: \d+-0\n\n/);
    expect(response.statusCode).toBe(200);
    response.destroy();
  });

  test('a client cut before the first text comes back with a position, and invokes nothing', async () => {
    let opened = 0;
    const { url } = await startRelay({ authorize: () => ({ key: 'k', open: () => (opened++, NEVER) }) });
    const response = await send(url, { headers: sse });
    const text = await readUntil(response, /id: \d+-0\n\n/);
    response.destroy();
    const id = /id: (\d+-0)\n/.exec(text)?.[1] ?? '';
    const again = await send(url, { headers: { ...sse, 'last-event-id': id } });
    const [first] = (await once(again, 'data')) as [Buffer];
    expect(String(first)).toBe(`id: ${id}\n\n`);
    again.destroy();
    expect(opened).toBe(1);
  });

  test('pings are comments', async () => {
    const clock = stopClock();
    const { url } = await startRelay({ authorize: () => ({ open: () => NEVER }) });
    const response = await send(url, { headers: sse });
    await clock.advance(15_000);
    const text = await readUntil(response, /: ping\n\n/);
    response.destroy();
    expect(blocksOf(text)).toEqual([{ id: '0-0' }]);
  });

  test('an error is a failure event without details, and its id stops EventSource', async () => {
    const error = new TruncatedStreamError({ functionName: 'secret', chunks: 1, bytes: 1 });
    const { url } = await startRelay({
      authorize: () => ({
        key: 'k',
        open: () =>
          concat(
            of(headEvent(), chunkEvent('a')),
            throwError(() => error),
          ),
      }),
    });
    const { status, text } = await ask(url, { headers: sse });
    const [, , failure] = blocksOf(text);
    expect(status).toBe(200);
    expect(failure?.['event']).toBe('failure');
    expect(failure?.['id']).toMatch(/^\d+-1\/end$/);
    expect(JSON.parse(failure?.['data'] ?? '')).toEqual({
      name: 'TruncatedStreamError',
      code: 'truncated',
      chunks: 1,
      bytes: 1,
      message: 'The response is not complete',
    });
    expect((await ask(url, { headers: { ...sse, 'last-event-id': failure?.['id'] ?? '' } })).status).toBe(204);
  });

  test('a failure before the head is an event too, because EventSource gives up after other statuses', async () => {
    const { url } = await startRelay({ authorize: () => ({ open: () => throwError(() => new Error('secret')) }) });
    const { status, text } = await ask(url, { headers: sse });
    expect([status, blocksOf(text)[1]?.['event']]).toEqual([200, 'failure']);
    expect(text).not.toContain('secret');
  });

  test('end and failure have the id POSITION/end, and a request with such an id gets 204', async () => {
    let asked = 0;
    const { url } = await startRelay({
      authorize: () => (asked++, keyed(headEvent(), chunkEvent('a'), completeEvent())),
    });
    const { id } = readText((await ask(url, { headers: sse })).text);
    expect(id).toMatch(/^\d+-1\/end$/);
    expect((await ask(url, { method: 'GET', headers: { ...sse, 'last-event-id': id ?? '' } })).status).toBe(204);
    // A client that is refused gets the refusal instead.
    expect(asked).toBe(2);
  });

  test('any id without a key gets 204', async () => {
    let ran = 0;
    const { url } = await startRelay({ authorize: () => ({ open: () => (ran++, NEVER) }) });
    expect((await ask(url, { headers: { ...sse, 'last-event-id': '0-0' } })).status).toBe(204);
    expect(ran).toBe(0);
  });

  test('the bare last position gets end again', async () => {
    const { url } = await startRelay({ authorize: () => keyed(headEvent(), chunkEvent('abc'), completeEvent()) });
    const { id = '' } = readText((await ask(url, { headers: sse })).text);
    const place = id.replace('/end', '');
    const { text } = await ask(url, { headers: { ...sse, 'last-event-id': place } });
    expect(blocksOf(text)).toEqual([{ id: place }, { event: 'end', id, data: '{}' }]);
  });

  test('a place that was never given is a failure event, and nothing runs', async () => {
    const { url } = await startRelay({ authorize: () => keyed(headEvent(), completeEvent()) });
    const { status, text } = await ask(url, { headers: { ...sse, 'last-event-id': '1-0' } });
    expect([status, blocksOf(text)[1]?.['event']]).toEqual([200, 'failure']);
    expect(text).toContain('unknown-invocation');
  });

  test('a restart is an event, after which bytes begin at 0', async () => {
    const restart = retryEvent({ mode: 'restart', delivered: { chunks: 1, bytes: 4 } });
    const { url } = await startRelay({
      authorize: () => ({
        open: () =>
          of(
            headEvent(),
            chunkEvent('ab\u20ac'.slice(0, 2)),
            chunkEvent(new Uint8Array([0xe2, 0x82])),
            restart,
            headEvent(),
            chunkEvent('b'),
            completeEvent(),
          ),
      }),
    });
    const blocks = blocksOf((await ask(url, { headers: sse })).text);
    expect(blocks.map(({ event, data }) => [event, data])).toEqual([
      [undefined, undefined],
      [undefined, '"ab"'],
      ['restart', '{}'],
      [undefined, '"b"'],
      ['end', '{}'],
    ]);
  });

  test('characters are never cut, and ids are positions at their borders', async () => {
    const text = 'a€𝄞é\u{1F468}\u200D\u{1F469}';
    const bytes = new TextEncoder().encode(text);
    const pieces = Array.from(bytes, (byte) => chunkEvent(new Uint8Array([byte])));
    const { url } = await startRelay({ authorize: () => keyed(headEvent(), ...pieces, completeEvent()) });
    const blocks = blocksOf((await ask(url, { headers: sse })).text);
    const ids = blocks.filter(({ event }) => event === undefined).map(({ id = '' }) => Number(id.split('-')[1]));
    // Going on at each id is exactly the rest.
    for (const at of ids) {
      const id = `${blocks[0]?.['id']?.split('-')[0] ?? ''}-${at}`;
      const rest = await ask(url, { headers: { ...sse, 'last-event-id': id } });
      expect(readText(rest.text).text).toBe(new TextDecoder('utf-8', { fatal: true }).decode(bytes.slice(at)));
    }
    expect(ids.length).toBeGreaterThan(5);
  });

  test('bytes that are no UTF-8 become U+FFFD, as one decoder makes them, however they are cut', () => {
    fc.assert(
      fc.property(
        fc
          .uint8Array({ maxLength: 40 })
          .map((noise) => Uint8Array.from(noise, (byte) => (byte % 3 === 0 ? byte : byte | 0x80))),
        fc.array(fc.nat(), { maxLength: 6 }),
        (bytes, cuts) => {
          const format = createSseFormat('7-0', undefined);
          let at = 0;
          let text = '';
          const take = (messages: readonly Uint8Array[]): void => {
            for (const message of messages) text += new TextDecoder().decode(message);
          };
          for (const payload of cutAt(bytes, cuts)) {
            at += payload.length;
            take(format.event({ type: 'chunk', payload, position: `7-${at}` }));
          }
          take(format.event({ type: 'complete', position: `7-${at}` }));
          const read = readText(text);
          expect(read.text).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
          expect(read.id).toBe(`7-${bytes.length}/end`);
        },
      ),
    );
  });

  test('a message is formatted once for all clients at the same place', () => {
    const payload = new TextEncoder().encode('hello');
    const chunk = { type: 'chunk', payload, position: '7-5' } as const;
    const [first, second, elsewhere] = ['7-0', '7-0', '7-2'].map(
      (place) => createSseFormat(place, undefined).event(chunk)[0],
    );
    expect(second).toBe(first);
    expect(elsewhere).not.toBe(first);
  });

  test('a function error that open emits is a failure', async () => {
    const open = (): Observable<LambdaStreamEvent> =>
      of(headEvent(), completeEvent({ errorCode: 'Unhandled', errorDetails: '{"errorMessage":"card 4711"}' }));
    const { url } = await startRelay({ authorize: () => ({ open }) });
    const { text } = await ask(url, { headers: sse });
    expect(blocksOf(text)[1]).toMatchObject({ event: 'failure' });
    expect(text).not.toContain('4711');
  });
});
