import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { from } from 'rxjs';
import type { LambdaStreamEvent } from 'rx-lambda-stream';
import { scripted, type LocalLambda, type LocalLambdaOptions } from 'rx-lambda-stream/local';
import { chunkEvent, completeEvent, headEvent } from 'rx-lambda-stream/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SharedRelayOptions } from '../../examples/relay/relay-shared.js';
import { createRelayServer } from '../../examples/relay/server.js';
import { toMessages } from '../../examples/relay/to-messages.js';
import { outcomeOf } from '../support/collect.js';
import { gate, startLive } from '../support/live.js';
import { expectNoStrays } from '../support/no-strays.js';
import { browse, hasEnded } from './relay-browser.js';

expectNoStrays();

const mebibyte = 1024 * 1024;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Relay {
  readonly local: LocalLambda;
  readonly url: string;
  /** The server's responses, in the order of the requests. */
  readonly responses: readonly ServerResponse[];
}

async function startRelay(
  functions: LocalLambdaOptions['functions'],
  options: SharedRelayOptions = { lingerMs: 0 },
): Promise<Relay> {
  const { local, client } = await startLive(functions);
  const server = createRelayServer(client, options);
  const responses: ServerResponse[] = [];
  server.prependListener('request', (_request, response) => responses.push(response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { local, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, responses };
}

/** So many numbered lines of 64 KiB. */
const line = (number: number): string => `${number}`.padEnd(64 * 1024 - 1, '.') + '\n';
const lines = (count: number): string => Array.from({ length: count }, (_, number) => line(number)).join('');
const writeLines = (count: number) =>
  async function* (): AsyncGenerator<string> {
    for (let number = 0; number < count; number++) {
      yield line(number);
      await turn();
    }
  };

/** Waits until the endpoint's writes stand still, and tells where. */
async function stalled(local: LocalLambda): Promise<number> {
  const request = await local.request(0);
  for (let last = -1; ;) {
    const { bytesWritten } = request;
    if (bytesWritten === last) return last;
    last = bytesWritten;
    // An observation window, not a wait for anything: a stalled server writes nothing in it.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const euro = new TextEncoder().encode('€');

describe('an invocation for one browser', () => {
  test('arrives as text in its order, each id the length of the text so far, and ends with an event', async () => {
    const { url, local } = await startRelay({
      chat: scripted([
        { chunk: 'a\r\nb\r' },
        { chunk: euro.subarray(0, 1) },
        { chunk: euro.subarray(1) },
        { chunk: '😀\n\n' },
        { complete: {} },
      ]),
    });
    const browser = await browse(`${url}/chat?prompt=What%3F+`);
    await browser.until(hasEnded);
    expect(browser.statusCode).toBe(200);
    expect(browser.headers['content-type']).toBe('text/event-stream');
    expect(browser.text()).toBe('a\r\nb\r€😀\n\n');
    const { requestId, payload } = local.requests[0]!;
    expect(JSON.parse(new TextDecoder().decode(payload))).toEqual({ prompt: 'What? ' });
    let length = 0;
    for (const { id, event, data } of browser.events) {
      if (event === undefined) length += (JSON.parse(data) as { text: string }).text.length;
      expect(id).toBe(`${requestId}/${length}`);
    }
    expect(length).toBe(10);
    expect(await browser.ended).toBe(true);
  });

  test('appears while the function is still writing', async () => {
    const { opened, open } = gate();
    const { url } = await startRelay({
      chat: scripted([{ chunk: 'first' }, { waitFor: opened }, { chunk: ', second' }, { complete: {} }]),
    });
    const browser = await browse(`${url}/chat`);
    await browser.until(({ text }) => text() === 'first');
    open();
    await browser.until(hasEnded);
    expect(browser.text()).toBe('first, second');
  });

  test('closes the connection to Lambda when the browser goes away', async () => {
    const { url, local } = await startRelay({ chat: scripted([{ chunk: 'a' }, 'stall']) });
    const browser = await browse(`${url}/chat`);
    await browser.until(({ text }) => text() === 'a');
    browser.leave();
    expect(await local.requests[0]!.closedEarly).toBe(true);
  });

  test('is not invoked again by a browser that comes back', async () => {
    const { url, local } = await startRelay({ chat: scripted([{ chunk: 'a' }, { complete: {} }]) });
    const browser = await browse(`${url}/chat`);
    await browser.until(hasEnded);
    expect((await browse(`${url}/chat`, browser.lastEventId())).statusCode).toBe(204);
    expect(local.requests).toHaveLength(1);
  });

  test('stands still while the browser does not read, and goes on without loss', async () => {
    const { url, local, responses } = await startRelay({ chat: writeLines(480) });
    const browser = await browse(`${url}/chat`);
    browser.pause();
    // Of 30 MiB, what the kernel's buffers of two connections take.
    expect(await stalled(local)).toBeLessThan(20 * mebibyte);
    // In the server itself: what one read brought.
    expect(responses[0]!.writableLength).toBeLessThan(mebibyte / 2);
    browser.resume();
    await browser.until(hasEnded);
    expect(browser.text() === lines(480)).toBe(true);
  });

  test('that fails midway tells so in an event of its own, after the text, without details', async () => {
    const { url } = await startRelay({
      chat: scripted([
        { chunk: 'half' },
        { complete: { errorCode: 'Unhandled', errorDetails: '{"errorType":"Secret","errorMessage":"secret"}' } },
      ]),
    });
    const browser = await browse(`${url}/chat`);
    expect(await browser.ended).toBe(true);
    expect(browser.text()).toBe('half');
    expect(browser.events.at(-1)).toMatchObject({ event: 'failure', data: '{"error":"function-error"}' });
    expect(JSON.stringify(browser.events).toLowerCase()).not.toContain('secret');
  });

  test('that is refused before its first byte tells the exception’s name', async () => {
    const { url } = await startRelay({
      chat: scripted([{ httpError: { statusCode: 404, name: 'ResourceNotFoundException' } }]),
    });
    const browser = await browse(`${url}/chat`);
    await browser.ended;
    expect(browser.events).toEqual([{ id: '', event: 'failure', data: '{"error":"ResourceNotFoundException"}' }]);
  });

  test('is dropped when its browser takes nothing for a while', async () => {
    const { url, local } = await startRelay({ chat: writeLines(480) }, { pingMs: 50, stalledMs: 500 });
    const browser = await browse(`${url}/chat`);
    browser.pause();
    expect(await (await local.request(0)).closedEarly).toBe(true);
  });

  test('shows that it lives while the function says nothing', async () => {
    const { opened, open } = gate();
    const { url } = await startRelay(
      { chat: scripted([{ waitFor: opened }, { chunk: 'at last' }, { complete: {} }]) },
      { pingMs: 20 },
    );
    const browser = await browse(`${url}/chat`);
    await browser.until(({ pings }) => pings() >= 3);
    open();
    await browser.until(hasEnded);
    expect(browser.text()).toBe('at last');
  });
});

describe('an invocation for many browsers', () => {
  test('is one request, whenever they come', async () => {
    const { opened, open } = gate();
    const { url, local } = await startRelay({
      report: scripted([{ chunk: 'one, ' }, { waitFor: opened }, { chunk: 'two' }, { complete: {} }]),
    });
    const first = await browse(`${url}/reports/today`);
    await first.until(({ text }) => text() === 'one, ');
    const second = await browse(`${url}/reports/today`);
    await second.until(({ text }) => text() === 'one, ');
    open();
    await Promise.all([first.until(hasEnded), second.until(hasEnded)]);
    const afterTheEnd = await browse(`${url}/reports/today`);
    await afterTheEnd.until(hasEnded);
    for (const browser of [first, second, afterTheEnd]) expect(browser.text()).toBe('one, two');
    expect(second.lastEventId()).toBe(first.lastEventId());
    expect(local.requests).toHaveLength(1);
    expect(new TextDecoder().decode(local.requests[0]!.payload)).toBe('{"id":"today"}');
  });

  test('is another one for another report', async () => {
    const { url, local } = await startRelay({ report: scripted([{ chunk: 'a' }, { complete: {} }]) });
    for (const id of ['today', 'yesterday']) await (await browse(`${url}/reports/${id}`)).until(hasEnded);
    expect(local.requests).toHaveLength(2);
  });

  test('closes its connection with the last one to leave, and not before', async () => {
    const { opened, open } = gate();
    const { url, local, responses } = await startRelay({
      report: scripted([{ chunk: 'a' }, { waitFor: opened }, { chunk: 'b' }, 'stall']),
    });
    const first = await browse(`${url}/reports/today`);
    const second = await browse(`${url}/reports/today`);
    await second.until(({ text }) => text() === 'a');
    first.leave();
    await once(responses[0]!, 'close');
    open();
    await second.until(({ text }) => text() === 'ab');
    second.leave();
    expect(await local.requests[0]!.closedEarly).toBe(true);

    await (await browse(`${url}/reports/today`)).until(({ text }) => text() === 'ab');
    expect(local.requests).toHaveLength(2);
  });

  test('goes on after any Last-Event-ID, nothing lost and nothing twice, also while it runs', async () => {
    const { opened, open } = gate();
    const { url, local } = await startRelay({
      report: scripted([
        { chunk: 'Zoë ' },
        { waitMs: 1 },
        { chunk: euro.subarray(0, 2) },
        { waitMs: 1 },
        { chunk: euro.subarray(2) },
        { chunk: ' 😀\r\n' },
        { waitFor: opened },
        { chunk: 'the end' },
        { complete: {} },
      ]),
    });
    const stays = await browse(`${url}/reports/today`);
    await stays.until(({ text }) => text().endsWith('\r\n'));
    const places = stays.events.map(({ id }) => id!);
    expect(places.length).toBeGreaterThan(1);
    const whole = 'Zoë € 😀\r\nthe end';
    const back = await Promise.all(places.map((place) => browse(`${url}/reports/today`, place)));
    open();
    await stays.until(hasEnded);
    places.push(stays.lastEventId()!);
    back.push(await browse(`${url}/reports/today`, places.at(-1)));
    for (const [index, browser] of back.entries()) {
      await browser.until(hasEnded);
      const seen = Number(places[index]!.split('/')[1]);
      expect(whole.slice(0, seen) + browser.text()).toBe(whole);
      expect(browser.lastEventId()).toBe(stays.lastEventId());
      expect(browser.events.some(({ event }) => event === 'restart')).toBe(false);
    }
    expect(local.requests).toHaveLength(1);
  });

  test('waits for its only browser to come back', async () => {
    const { opened, open } = gate();
    const { url, local, responses } = await startRelay(
      { report: scripted([{ chunk: 'one, ' }, { waitFor: opened }, { chunk: 'two' }, { complete: {} }]) },
      { lingerMs: 60_000 },
    );
    const browser = await browse(`${url}/reports/today`);
    await browser.until(({ text }) => text() === 'one, ');
    browser.leave();
    await once(responses[0]!, 'close');
    open();
    const back = await browse(`${url}/reports/today`, browser.lastEventId());
    await back.until(hasEnded);
    expect(back.text()).toBe('two');
    expect(local.requests).toHaveLength(1);
  });

  test('tells a browser with another invocation’s text to start over', async () => {
    const { url } = await startRelay({ report: scripted([{ chunk: 'new text' }, { complete: {} }]) });
    const browser = await browse(`${url}/reports/today`, 'another-request/3');
    await browser.until(hasEnded);
    expect(browser.events[0]).toMatchObject({ event: 'restart' });
    expect(browser.text()).toBe('new text');
  });

  test.each(['', 'nonsense', '12', '/3', 'a/b'])('begins at its start for the Last-Event-ID "%s"', async (id) => {
    const { url } = await startRelay({ report: scripted([{ chunk: 'text' }, { complete: {} }]) });
    const browser = await browse(`${url}/reports/today`, id);
    await browser.until(hasEnded);
    expect(browser.text()).toBe('text');
  });

  test('reaches a browser that does not read at its own pace, out of one replay', async () => {
    const { url, local, responses } = await startRelay(
      { report: writeLines(320) },
      { maxReplayBytes: 64 * mebibyte, lingerMs: 0 },
    );
    const slow = await browse(`${url}/reports/today`);
    slow.pause();
    const fast = await browse(`${url}/reports/today`);
    await fast.until(hasEnded);
    expect(fast.text() === lines(320)).toBe(true);
    // It has by no means been sent all: what waits in the server is the limit and a message at most.
    expect(responses[0]!.writableEnded).toBe(false);
    expect(responses[0]!.writableLength).toBeLessThan(1.5 * mebibyte);
    expect(responses[0]!.writableLength).toBeGreaterThan(256 * 1024);

    let most = 0;
    responses[0]!.on('drain', () => void turn().then(() => (most = Math.max(most, responses[0]!.writableLength))));
    slow.resume();
    await slow.until(hasEnded);
    expect(slow.text() === lines(320)).toBe(true);
    expect(slow.events.some(({ event }) => event === 'restart')).toBe(false);
    expect(most).toBeLessThan(1.5 * mebibyte);
    expect(local.requests).toHaveLength(1);
  });

  test('of any length reaches a browser alone, however slow, since nobody runs ahead of it', async () => {
    // Small ones, so that many come with one read, also after the pause has begun.
    const pieces = Array.from({ length: 20_000 }, (_, number) => `${number}`.padEnd(1_000, '.'));
    const { url, local, responses } = await startRelay(
      {
        report: async function* () {
          for (const [number, piece] of pieces.entries()) {
            yield piece;
            if (number % 100 === 0) await turn();
          }
        },
      },
      { maxReplayBytes: mebibyte },
    );
    const browser = await browse(`${url}/reports/today`);
    browser.pause();
    expect(await stalled(local)).toBeLessThan(15 * mebibyte);
    expect(responses[0]!.writableLength).toBeLessThan(256 * 1024);
    browser.resume();
    await browser.until(hasEnded);
    expect(browser.text() === pieces.join('')).toBe(true);
  });

  test('stands still while none of its browsers reads, and goes on with the first that does', async () => {
    const { url, local, responses } = await startRelay(
      { report: writeLines(480) },
      { maxReplayBytes: 64 * mebibyte, lingerMs: 0 },
    );
    const browsers = await Promise.all([1, 2].map(() => browse(`${url}/reports/today`)));
    for (const browser of browsers) browser.pause();
    expect(await stalled(local)).toBeLessThan(20 * mebibyte);
    for (const response of responses) expect(response.writableLength).toBeLessThan(1.5 * mebibyte);
    browsers[0]!.resume();
    await browsers[0]!.until(hasEnded);
    expect(browsers[0]!.text() === lines(480)).toBe(true);
    browsers[1]!.resume();
    await browsers[1]!.until(hasEnded);
    expect(browsers[1]!.text() === lines(480)).toBe(true);
    expect(local.requests).toHaveLength(1);
  });

  test('goes on past the limit of what is held, without the browser that is too slow for it', async () => {
    const { url, local, responses } = await startRelay(
      { report: writeLines(320) },
      { maxReplayBytes: mebibyte, lingerMs: 0 },
    );
    const slow = await browse(`${url}/reports/today`);
    slow.pause();
    const fast = await browse(`${url}/reports/today`);
    await fast.until(hasEnded);
    expect(fast.text() === lines(320)).toBe(true);
    expect(responses[0]!.writableLength).toBeLessThan(1.5 * mebibyte);
    slow.resume();
    expect(await slow.ended).toBe(true);
    expect(slow.events.at(-1)).toMatchObject({ event: 'failure', data: '{"error":"replay-limit"}' });
    expect(slow.text().length).toBeGreaterThan(0);
    expect(lines(320).startsWith(slow.text())).toBe(true);
    expect(local.requests).toHaveLength(1);
  });

  test('that breaks tells all of them, those behind too, and is invoked anew for the next', async () => {
    const { opened, open } = gate();
    const { url, local, responses } = await startRelay(
      {
        report: scripted((_request, attempt) =>
          attempt === 1
            ? [{ chunk: lines(160) }, { waitFor: opened }, { chunk: 'more' }, 'reset']
            : [{ chunk: 'whole' }, { complete: {} }],
        ),
      },
      { maxReplayBytes: 64 * mebibyte, lingerMs: 0 },
    );
    const slow = await browse(`${url}/reports/today`);
    slow.pause();
    const fast = await browse(`${url}/reports/today`);
    await fast.until(({ text }) => text().length >= lines(160).length);
    expect(responses[0]!.writableLength).toBeGreaterThan(256 * 1024);
    open();
    expect(await fast.ended).toBe(true);
    slow.resume();
    expect(await slow.ended).toBe(true);
    for (const { events } of [fast, slow]) {
      expect(events.at(-1)).toMatchObject({ event: 'failure', data: '{"error":"truncated"}' });
    }
    expect(lines(160).startsWith(slow.text())).toBe(true);
    expect(local.requests).toHaveLength(1);

    const next = await browse(`${url}/reports/today`, fast.lastEventId());
    await next.until(hasEnded);
    expect(next.events[0]).toMatchObject({ event: 'restart' });
    expect(next.text()).toBe('whole');
    expect(local.requests).toHaveLength(2);
  });
});

describe('messages', () => {
  const head = (requestId: string): LambdaStreamEvent => headEvent({ requestId });
  const restart: LambdaStreamEvent = {
    type: 'retry',
    attempt: 2,
    delayMs: 0,
    error: new Error('cut'),
    mode: 'restart',
    delivered: { chunks: 1, bytes: 4 },
  };
  const attempts = [head('A'), chunkEvent('half'), restart, head('B'), chunkEvent('whole'), completeEvent()];
  const messages = async (events: LambdaStreamEvent[], lastEventId?: string): Promise<unknown[]> => {
    const { values } = await outcomeOf(from(events).pipe(toMessages(lastEventId)));
    return values.map(({ id, type, data }) => [id, type ?? (data as { text: string }).text]);
  };

  test('tell of a restart, and count from the start again', async () => {
    expect(await messages(attempts)).toEqual([
      ['A/4', 'half'],
      ['B/0', 'restart'],
      ['B/5', 'whole'],
      ['B/5', 'end'],
    ]);
  });

  test('go on within the attempt that the Last-Event-ID names', async () => {
    // What a late subscriber of a shared invocation is told after a restart.
    const replay = attempts.slice(2);
    expect(await messages(replay, 'B/2')).toEqual([
      ['B/5', 'ole'],
      ['B/5', 'end'],
    ]);
    expect(await messages(replay, 'A/4')).toEqual([
      ['B/0', 'restart'],
      ['B/5', 'whole'],
      ['B/5', 'end'],
    ]);
  });

  test('keep their place over attempts that change nothing for the consumer', async () => {
    const fresh = { ...restart, mode: 'fresh' as const };
    expect(await messages([head('A'), fresh, head('B'), chunkEvent('text'), completeEvent()], 'A/2')).toEqual([
      ['A/4', 'xt'],
      ['A/4', 'end'],
    ]);
  });
});

describe('the server besides', () => {
  test('serves its page, and nothing that it does not have', async () => {
    const { url, local } = await startRelay({});
    const page = await fetch(url);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain('new EventSource');
    for (const path of ['/nothing', '/reports/', '/reports/a%2Fb', '//', '/reports/today/more']) {
      expect((await fetch(url + path)).status, path).toBe(404);
    }
    expect((await fetch(`${url}/chat`, { method: 'POST' })).status).toBe(405);
    expect(local.requests).toHaveLength(0);
  });

  test('remembers a hundred reports and forgets the oldest', async () => {
    const { url, local } = await startRelay({ report: scripted([{ chunk: 'a' }, { complete: {} }]) });
    const ask = async (id: number): Promise<void> => (await browse(`${url}/reports/${id}`)).until(hasEnded);
    for (let id = 0; id <= 100; id++) await ask(id);
    await ask(1);
    expect(local.requests).toHaveLength(101);
    await ask(0);
    expect(local.requests).toHaveLength(102);
  });

  test('runs by itself, on a local endpoint of its own', async () => {
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const demo = spawn(process.execPath, ['--import', 'tsx', 'examples/relay/main.ts'], { cwd: root });
    const exited = once(demo, 'exit');
    onTestFinished(async () => {
      demo.kill();
      await exited;
    });
    let log = '';
    demo.stderr.on('data', (data: Buffer) => (log += data.toString()));
    const url = await new Promise<string>((resolve, reject) => {
      demo.stdout.on('data', (data: Buffer) => {
        log += data.toString();
        const origin = /Listening on (http:\/\/[\d.:]+)/.exec(log)?.[1];
        if (origin !== undefined) resolve(origin);
      });
      void exited.then(() => reject(new Error(`The demo did not start: ${log}`)));
    });
    const chat = await browse(`${url}/chat?prompt=two%20words`);
    await chat.until(hasEnded);
    expect(chat.text()).toBe('You said: two words');
    const report = await browse(`${url}/reports/today`);
    await report.until(({ text }) => text().startsWith('today, line 1\ntoday, line 2\n'));
  });
});
