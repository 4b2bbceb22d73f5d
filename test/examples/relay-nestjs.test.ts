import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { scripted, startLocalLambda, type LocalLambda, type LocalLambdaOptions } from 'rx-lambda-stream/local';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { gate } from '../support/live.js';
import { browse, hasEnded } from './relay-browser.js';

const folder = fileURLToPath(new URL('../../examples/relay-nestjs/', import.meta.url));
const mebibyte = 1024 * 1024;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Looked up anew for each request, so that each test has its own functions behind one server. */
const functions: Record<string, LocalLambdaOptions['functions'][string]> = {};
let local: LocalLambda;
let url: string;
let stop: () => Promise<void>;
/** How many requests there were before the test. */
let before: number;
/** A report of its own for each test. */
let report: string;

beforeAll(async () => {
  local = await startLocalLambda({ functions });
  const server = spawn(process.execPath, ['--import', 'tsx', 'main.ts'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PORT: '0',
      LINGER_MS: '0',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_LAMBDA: local.endpoint,
    },
  });
  const exited = once(server, 'exit');
  let log = '';
  server.stderr.on('data', (data: Buffer) => (log += data.toString()));
  url = await new Promise<string>((resolve, reject) => {
    server.stdout.on('data', (data: Buffer) => {
      log += data.toString();
      const address = /http:\S+/.exec(log)?.[0];
      if (log.includes('Listening') && address !== undefined) resolve(/Listening on (\S+)/.exec(log)![1]!);
    });
    void exited.then(() => reject(new Error(`The server did not start: ${log}`)));
  });
  stop = async () => {
    server.kill();
    await exited;
    await local.close();
  };
}, 60_000);

afterAll(() => stop());

let count = 0;
beforeEach(() => {
  before = local.requests.length;
  report = `${url}/reports/${count++}`;
});

const requests = (): number => local.requests.length - before;

describe('the same in NestJS, as CommonJS', () => {
  test('@Sse sends text in its order, each id the length of the text so far, and ends with an event', async () => {
    functions.report = scripted([{ chunk: 'a\r\nb\r' }, { chunk: '€' }, { chunk: '\n😀' }, { complete: {} }]);
    const browser = await browse(report);
    await browser.until(hasEnded);
    expect(browser.headers['content-type']).toBe('text/event-stream');
    expect(browser.text()).toBe('a\r\nb\r€\n😀');
    let length = 0;
    for (const { id, event, data } of browser.events) {
      if (event === undefined) length += (JSON.parse(data) as { text: string }).text.length;
      expect(id).toBe(`${local.requests[before]!.requestId}/${length}`);
    }
    expect(length).toBe(9);
    expect(await browser.ended).toBe(true);
  });

  test('@Sse browsers share one invocation; the last one to leave closes its connection', async () => {
    const { opened, open } = gate();
    functions.report = scripted([{ chunk: 'one, ' }, { waitFor: opened }, { chunk: 'two' }, 'stall']);
    const first = await browse(report);
    await first.until(({ text }) => text() === 'one, ');
    const second = await browse(report);
    await second.until(({ text }) => text() === 'one, ');
    first.leave();
    await first.ended;
    open();
    await second.until(({ text }) => text() === 'one, two');
    expect(requests()).toBe(1);
    second.leave();
    expect(await local.requests[before]!.closedEarly).toBe(true);
  });

  test('@Sse goes on after the Last-Event-ID, nothing lost and nothing twice', async () => {
    const { opened, open } = gate();
    functions.report = scripted([{ chunk: 'one, ' }, { waitFor: opened }, { chunk: 'two' }, { complete: {} }]);
    const stays = await browse(report);
    await stays.until(({ text }) => text() === 'one, ');
    const leaves = await browse(report);
    await leaves.until(({ text }) => text() === 'one, ');
    leaves.leave();
    const back = await browse(report, leaves.lastEventId());
    open();
    await Promise.all([stays.until(hasEnded), back.until(hasEnded)]);
    expect(stays.text()).toBe('one, two');
    expect(back.text()).toBe('two');
    expect((await browse(report, back.lastEventId())).statusCode).toBe(200);
    expect(requests()).toBe(1);
  });

  test('@Sse tells of a failure midway in an event of its own, whose id does not undo the place', async () => {
    functions.report = scripted((_request, attempt) =>
      attempt % 2 === 1 ? [{ chunk: 'half' }, 'end'] : [{ chunk: 'whole' }, { complete: {} }],
    );
    // Which attempt this is depends on the tests before.
    if (local.requests.filter(({ functionName }) => functionName === 'report').length % 2 === 1) {
      await (await browse(`${report}-other`)).until(hasEnded);
    }
    const browser = await browse(report);
    expect(await browser.ended).toBe(true);
    expect(browser.text()).toBe('half');
    expect(browser.events.at(-1)).toMatchObject({ event: 'failure', data: '{"error":"truncated"}' });
    expect(browser.lastEventId()).toBe(`${local.requests.at(-1)!.requestId}/4`);

    const next = await browse(report, browser.lastEventId());
    await next.until(hasEnded);
    expect(next.events[0]).toMatchObject({ event: 'restart' });
    expect(next.text()).toBe('whole');
  });

  test('@Sse has no backpressure: the function is read on, and Nest drops the browser that does not read', async () => {
    const piece = 'x'.repeat(64 * 1024);
    functions.report = async function* () {
      for (let number = 0; number < 640; number++) {
        yield piece;
        await turn();
      }
    };
    const browser = await browse(report);
    browser.pause();
    const request = await local.request(before);
    expect(await request.closedEarly).toBe(true);
    expect(request.bytesWritten).toBeGreaterThan(4 * mebibyte);
    browser.resume();
    expect(await browser.ended).toBe(false);
  });

  test('@Get with @Res has it: the function stands still while the browser does not read, and nothing is lost', async () => {
    const pieces = 480;
    functions.chat = async function* () {
      for (let number = 0; number < pieces; number++) {
        yield `${number}`.padEnd(64 * 1024, '.');
        await turn();
      }
    };
    const browser = await browse(`${url}/chat?prompt=hi`);
    browser.pause();
    const request = await local.request(before);
    for (let last = -1; request.bytesWritten !== last;) {
      last = request.bytesWritten;
      // An observation window, not a wait for anything: a stalled server writes nothing in it.
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(request.bytesWritten).toBeLessThan(20 * mebibyte);
    browser.resume();
    await browser.until(hasEnded);
    expect(browser.text().length).toBe(pieces * 64 * 1024);
    expect(browser.text().match(/\d+/g)).toEqual(Array.from({ length: pieces }, (_, number) => `${number}`));
    expect(requests()).toBe(1);
  });

  test('@Get with @Res closes the connection to Lambda when the browser goes away', async () => {
    functions.chat = scripted([{ chunk: 'a' }, 'stall']);
    const browser = await browse(`${url}/chat?prompt=hi`);
    await browser.until(({ text }) => text() === 'a');
    browser.leave();
    expect(await local.requests[before]!.closedEarly).toBe(true);
  });
});
