import { buildSync } from 'esbuild';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright';
import { concat, of, Subject, type Observable } from 'rxjs';
import type { LambdaStreamEvent } from 'rx-lambda-stream';
import { createRelay } from 'rx-lambda-stream/relay';
import { chunkEvent, completeEvent, headEvent } from 'rx-lambda-stream/testing';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../relay/tcp-proxy.js';
import { chromiumLaunchOptions } from '../support/chromium.js';

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch(chromiumLaunchOptions);
});
afterAll(() => browser.close());

/** The page with relayedInvoke: it keeps its position in the session's storage, and shows the text. */
const invokePage = `
  import { relayedInvoke } from './src/http/relayed-invoke.ts';
  import { decodeText } from './src/decoding/decode-text.ts';
  import { tap } from 'rxjs';
  const invoke = relayedInvoke({ url: '/api', reconnect: { initialDelayMs: 10 } });
  const input = { FunctionName: 'chat' };
  const text = document.querySelector('pre');
  text.textContent = sessionStorage.getItem('text') ?? '';
  const after = sessionStorage.getItem('after') ?? undefined;
  globalThis.retries = [];
  invoke(undefined, input, after && { after }).pipe(
    tap((event) => event.type === 'retry' && retries.push(event.mode)),
    tap((event) => { globalThis.position = event.position; }),
    decodeText(),
  ).subscribe({
    next(piece) {
      text.append(piece);
      sessionStorage.setItem('text', text.textContent);
      sessionStorage.setItem('after', globalThis.position);
    },
    error: (error) => { document.title = 'failed ' + error.name; },
    complete: () => { document.title = 'done'; },
  });
  document.querySelector('#stop-answer').onclick = () => invoke.stop(input);
`;

const eventSourcePage = `
  const text = document.querySelector('pre');
  const source = new EventSource('/api/stream');
  source.onmessage = ({ data }) => text.append(JSON.parse(data));
  source.addEventListener('restart', () => text.replaceChildren());
  source.addEventListener('end', () => { document.title = 'done'; });
  source.addEventListener('failure', ({ data }) => { document.title = 'failed ' + JSON.parse(data).name; });
  globalThis.source = source;
`;

interface Site {
  readonly proxy: TcpProxy;
  readonly events: Subject<LambdaStreamEvent>;
  readonly opened: () => number;
  readonly context: BrowserContext;
  readonly open: (path: string) => Promise<Page>;
  /** Writes a piece once the invocation runs. */
  readonly write: (text: string) => Promise<void>;
  readonly finish: () => void;
}

/** A page and a relay of one origin, behind a proxy that can be cut. */
async function startSite(): Promise<Site> {
  const { outputFiles } = buildSync({
    stdin: { contents: invokePage, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    format: 'esm',
    write: false,
  });
  const scripts: Record<string, string> = { '/invoke': outputFiles[0]?.text ?? '', '/sse': eventSourcePage };
  const events = new Subject<LambdaStreamEvent>();
  let opened = 0;
  const open = (): Observable<LambdaStreamEvent> => (opened++, concat(of(headEvent()), events));
  const relay = createRelay({ authorize: () => ({ key: 'k', open }) });
  const server = createServer((request, response) => {
    const script = scripts[request.url ?? ''];
    if (script === undefined) relay.listener(request, response);
    else {
      response.setHeader('content-type', 'text/html');
      response.end(
        `<!doctype html><pre></pre><button id="stop-answer">Stop</button><script type="module">${script}</script>`,
      );
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startTcpProxy((server.address() as AddressInfo).port);
  const context = await browser.newContext();
  onTestFinished(async () => {
    await context.close();
    await relay.close();
    server.closeAllConnections();
    server.close();
  });
  return {
    proxy,
    events,
    context,
    opened: () => opened,
    async open(path) {
      const page = await context.newPage();
      await page.goto(proxy.url + path);
      return page;
    },
    async write(text) {
      while (!events.observed) await new Promise((resolve) => setTimeout(resolve, 5));
      events.next(chunkEvent(text));
    },
    finish() {
      events.next(completeEvent());
      events.complete();
    },
  };
}

const shows = (page: Page, text: string): Promise<unknown> =>
  page.waitForFunction((expected) => document.querySelector('pre')?.textContent === expected, text);
const titled = (page: Page, title: string): Promise<unknown> =>
  page.waitForFunction((expected) => document.title === expected, title);

describe.each(['/invoke', '/sse'])('Chromium with %s', (path) => {
  test('the text grows, is cut by a proxy, and goes on at its byte', async () => {
    const { open, write, finish, proxy, opened } = await startSite();
    const page = await open(path);
    await write('hé');
    await shows(page, 'hé');
    proxy.cut();
    await write('l€');
    await shows(page, 'hél€');
    proxy.cut();
    await write('lo');
    finish();
    await shows(page, 'hél€lo');
    await titled(page, 'done');
    expect(opened()).toBe(1);
  });

  test('a second tab joins', async () => {
    const { open, write, finish, opened } = await startSite();
    const first = await open(path);
    await write('a');
    await shows(first, 'a');
    const second = await (await browser.newContext()).newPage();
    onTestFinished(() => second.context().close());
    await second.goto(first.url());
    await shows(second, 'a');
    await write('b');
    finish();
    for (const page of [first, second]) {
      await shows(page, 'ab');
      await titled(page, 'done');
    }
    expect(opened()).toBe(1);
  });

  test('offline and online: the text goes on, without a second invocation', async () => {
    const { open, write, finish, context, proxy, opened } = await startSite();
    const page = await open(path);
    await write('a');
    await shows(page, 'a');
    await context.setOffline(true);
    proxy.cut();
    await write('b');
    await context.setOffline(false);
    await shows(page, 'ab');
    await write('c');
    finish();
    await shows(page, 'abc');
    await titled(page, 'done');
    expect(opened()).toBe(1);
  });
});

describe('Chromium', () => {
  test('a reload of the page resumes from the position that it kept', async () => {
    const { open, write, finish, opened } = await startSite();
    const page = await open('/invoke');
    await write('before ');
    await shows(page, 'before ');
    await page.reload();
    await write('after');
    finish();
    await shows(page, 'before after');
    await titled(page, 'done');
    expect(opened()).toBe(1);
  });

  test('Stop ends it for everybody, and a reload does not invoke again', async () => {
    const { open, write, opened } = await startSite();
    const page = await open('/invoke');
    const reader = await open('/sse');
    await write('a');
    await shows(page, 'a');
    await page.click('#stop-answer');
    await titled(page, 'failed InvocationStoppedError');
    await titled(reader, 'failed InvocationStoppedError');
    await page.reload();
    await titled(page, 'failed InvocationStoppedError');
    expect(opened()).toBe(1);
  });

  test('the retry of a cut is of mode replay', async () => {
    const { open, write, finish, proxy } = await startSite();
    const page = await open('/invoke');
    await write('a');
    await shows(page, 'a');
    proxy.cut();
    await write('b');
    await shows(page, 'ab');
    finish();
    await titled(page, 'done');
    expect(await page.evaluate('globalThis.retries')).toEqual(['replay']);
  });

  test('EventSource stops for good after the end: a 204', async () => {
    const { open, write, finish } = await startSite();
    const page = await open('/sse');
    await write('a');
    finish();
    await titled(page, 'done');
    await page.waitForFunction('globalThis.source.readyState === EventSource.CLOSED');
  });

  test('EventSource that is cut before the first word comes back with a place', async () => {
    const { open, proxy, write, finish, events, opened } = await startSite();
    const page = await open('/sse');
    await page.waitForFunction('globalThis.source.readyState === EventSource.OPEN');
    while (!events.observed) await new Promise((resolve) => setTimeout(resolve, 5));
    proxy.cut();
    await page.waitForFunction('globalThis.source.readyState === EventSource.OPEN');
    await write('a');
    finish();
    await shows(page, 'a');
    expect(opened()).toBe(1);
  });

  test('a page of another origin runs nothing, whichever way it asks', async () => {
    const { open, opened } = await startSite();
    const foreign = createServer((_, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html>');
    }).listen(0, '127.0.0.1');
    await once(foreign, 'listening');
    onTestFinished(() => {
      foreign.closeAllConnections();
      foreign.close();
    });
    const own = await open('/favicon');
    const target = `${new URL(own.url()).origin}/api/2021-11-15/functions/chat/response-streaming-invocations`;
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(`http://127.0.0.1:${(foreign.address() as AddressInfo).port}/`);
    const sent = page.evaluate(
      (url) =>
        Promise.allSettled([
          fetch(url, { method: 'POST', mode: 'no-cors', headers: { 'content-type': 'text/plain' }, body: '{}' }),
          fetch(url, { method: 'POST', headers: { 'content-type': 'application/octet-stream' } }),
          fetch(url, { headers: { accept: 'text/event-stream' } }),
          new Promise((resolve) => (new EventSource(url).onerror = resolve)),
        ]),
      target,
    );
    await sent;
    expect(opened()).toBe(0);
  });
});
