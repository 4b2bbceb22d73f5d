import { buildSync } from 'esbuild';
import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright';
import { createRelay, RelayRefusal, type RelayCall } from 'rx-lambda-stream/relay';
import { headEvent } from 'rx-lambda-stream/testing';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../relay/tcp-proxy.js';
import { writtenInvocation, type WrittenInvocation } from '../relay/written-invocation.js';
import { chromiumLaunchOptions } from '../support/chromium.js';

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch(chromiumLaunchOptions);
});
afterAll(() => browser.close());

/**
 * The page with relayedInvoke: it keeps its position in the session's storage, and shows the text. Its relay is the
 * page's own server, or one that the address names.
 */
const invokePage = `
  import { relayedInvoke } from './src/http/relayed-invoke.ts';
  import { decodeText } from './src/decoding/decode-text.ts';
  import { tap } from 'rxjs';
  const url = (new URLSearchParams(location.search).get('relay') ?? '') + '/api';
  const headers = { authorization: 'Bearer token' };
  const invoke = relayedInvoke({ url, headers, reconnect: { initialDelayMs: 10 } });
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
  const relay = new URLSearchParams(location.search).get('relay') ?? '';
  const source = new EventSource(relay + '/api/stream', { withCredentials: true });
  source.onmessage = ({ data }) => text.append(JSON.parse(data));
  source.addEventListener('restart', () => text.replaceChildren());
  source.addEventListener('end', () => { document.title = 'done'; });
  source.addEventListener('failure', ({ data }) => { document.title = 'failed ' + JSON.parse(data).name; });
  globalThis.source = source;
`;

interface Site extends WrittenInvocation {
  readonly proxy: TcpProxy;
  /** What the relay was asked. */
  readonly calls: readonly RelayCall[];
  readonly context: BrowserContext;
  readonly openPage: (path: string) => Promise<Page>;
}

const { outputFiles } = buildSync({
  stdin: { contents: invokePage, resolveDir: process.cwd(), loader: 'ts' },
  bundle: true,
  format: 'esm',
  write: false,
});
const scripts: Readonly<Record<string, string>> = { '/invoke': outputFiles[0]?.text ?? '', '/sse': eventSourcePage };

/** Serves the pages, and hands all else on. */
async function servePages(other: RequestListener): Promise<{ port: number }> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://pages');
    const script = scripts[pathname] ?? (pathname === '/empty' ? '' : undefined);
    if (script === undefined) other(request, response);
    else {
      response.setHeader('content-type', 'text/html');
      response.end(
        `<!doctype html><pre></pre><button id="stop-answer">Stop</button><script type="module">${script}</script>`,
      );
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port };
}

/** A page and a relay of one origin, behind a proxy that can be cut. */
async function startSite(origins: readonly string[] = []): Promise<Site> {
  const invocation = writtenInvocation(
    headEvent({ contentType: 'text/plain', executedVersion: '7', requestId: 'r-1' }),
  );
  const calls: RelayCall[] = [];
  const relay = createRelay({
    origins,
    authorize(call) {
      calls.push(call);
      if (call.functionName === 'other') throw new RelayRefusal(404, 'No such function');
      return { key: 'k', expose: 'all', open: invocation.open };
    },
  });
  const { port } = await servePages(relay.listener);
  const proxy = await startTcpProxy(port);
  const context = await browser.newContext();
  onTestFinished(async () => {
    await context.close();
    await relay.close();
  });
  return {
    ...invocation,
    proxy,
    calls,
    context,
    async openPage(path) {
      const page = await context.newPage();
      await page.goto(new URL(path, proxy.url).href);
      return page;
    },
  };
}

const shows = (page: Page, text: string): Promise<unknown> =>
  page.waitForFunction((expected) => document.querySelector('pre')?.textContent === expected, text);
const titled = (page: Page, title: string): Promise<unknown> =>
  page.waitForFunction((expected) => document.title === expected, title);

/** Writes two pieces of text. The connection is cut between them, and the page shows both. */
async function readOverACut({ running, write, proxy }: Site, page: Page): Promise<void> {
  await running;
  write('hé');
  await shows(page, 'hé');
  proxy.cut();
  write('l€');
  await shows(page, 'hél€');
}

describe.each(['/invoke', '/sse'])('Chromium with %s', (path) => {
  test('the text grows, is cut by a proxy, and goes on at its byte', async () => {
    const site = await startSite();
    const { openPage, write, finish, proxy, opened } = site;
    const page = await openPage(path);
    await readOverACut(site, page);
    proxy.cut();
    write('lo');
    finish();
    await shows(page, 'hél€lo');
    await titled(page, 'done');
    expect(opened()).toBe(1);
  });

  test('a second tab joins', async () => {
    const { openPage, running, write, finish, opened } = await startSite();
    const first = await openPage(path);
    await running;
    write('a');
    await shows(first, 'a');
    const second = await (await browser.newContext()).newPage();
    onTestFinished(() => second.context().close());
    await second.goto(first.url());
    await shows(second, 'a');
    write('b');
    finish();
    for (const page of [first, second]) {
      await shows(page, 'ab');
      await titled(page, 'done');
    }
    expect(opened()).toBe(1);
  });

  test('offline and online: the text goes on, without a second invocation', async () => {
    const { openPage, running, write, finish, context, proxy, opened } = await startSite();
    const page = await openPage(path);
    await running;
    write('a');
    await shows(page, 'a');
    await context.setOffline(true);
    proxy.cut();
    write('b');
    await context.setOffline(false);
    await shows(page, 'ab');
    write('c');
    finish();
    await shows(page, 'abc');
    await titled(page, 'done');
    expect(opened()).toBe(1);
  });
});

describe('Chromium', () => {
  test('a reload of the page resumes from the position that it kept', async () => {
    const { openPage, running, write, finish, opened } = await startSite();
    const page = await openPage('/invoke');
    await running;
    write('before ');
    await shows(page, 'before ');
    await page.reload();
    write('after');
    finish();
    await shows(page, 'before after');
    await titled(page, 'done');
    expect(opened()).toBe(1);
  });

  test('Stop ends it for everybody, and a reload does not invoke again', async () => {
    const { openPage, running, write, opened } = await startSite();
    const page = await openPage('/invoke');
    const reader = await openPage('/sse');
    await running;
    write('a');
    await shows(page, 'a');
    await page.click('#stop-answer');
    await titled(page, 'failed InvocationStoppedError');
    await titled(reader, 'failed InvocationStoppedError');
    await page.reload();
    await titled(page, 'failed InvocationStoppedError');
    expect(opened()).toBe(1);
  });

  test('the retry of a cut is of mode replay', async () => {
    const { openPage, running, write, finish, proxy } = await startSite();
    const page = await openPage('/invoke');
    await running;
    write('a');
    await shows(page, 'a');
    proxy.cut();
    write('b');
    await shows(page, 'ab');
    finish();
    await titled(page, 'done');
    expect(await page.evaluate('globalThis.retries')).toEqual(['replay']);
  });

  test('EventSource stops for good after the end: a 204', async () => {
    const { openPage, running, write, finish } = await startSite();
    const page = await openPage('/sse');
    await running;
    write('a');
    finish();
    await titled(page, 'done');
    await page.waitForFunction('globalThis.source.readyState === EventSource.CLOSED');
  });

  test('an EventSource that is cut before the first text comes back with a position', async () => {
    const { openPage, running, proxy, write, finish, opened } = await startSite();
    const page = await openPage('/sse');
    await page.waitForFunction('globalThis.source.readyState === EventSource.OPEN');
    await running;
    proxy.cut();
    await page.waitForFunction('globalThis.source.readyState === EventSource.OPEN');
    write('a');
    finish();
    await shows(page, 'a');
    expect(opened()).toBe(1);
  });
});

/** Other origins than that of the relay's page: another site, and another port of the same site. */
describe.each(['localhost', '127.0.0.1'])('Chromium with a page of another origin, on %s', (host) => {
  const unknown: RequestListener = (_, response) => response.writeHead(404).end();

  test.each(['/invoke', '/sse'])('a listed one reads a stream by %s, is cut, and goes on at its byte', async (path) => {
    const { port } = await servePages(unknown);
    const origin = `http://${host}:${port}`;
    const site = await startSite([origin]);
    const { proxy, calls, finish, opened, openPage } = site;
    const page = await openPage(`${origin}${path}?relay=${proxy.url}`);
    await readOverACut(site, page);
    finish();
    await titled(page, 'done');
    expect(opened()).toBe(1);
    expect(calls.map(({ request }) => request.headers.get('origin'))).toEqual([origin, origin]);
    if (path === '/invoke') expect(calls.at(-1)?.request.headers.get('authorization')).toBe('Bearer token');
    else expect(calls.at(-1)?.request.headers.get('last-event-id')).toMatch(/-3$/);
  });

  test('a listed one reads the headers that are exposed, and the kind of an error', async () => {
    const { port } = await servePages(unknown);
    const origin = `http://${host}:${port}`;
    const { proxy, running, openPage } = await startSite([origin]);
    const page = await openPage(`${origin}/empty`);
    const asked = page.evaluate(async (url) => {
      const headersOf = async (name: string): Promise<Record<string, string>> => {
        const response = await fetch(`${url}/api/2021-11-15/functions/${name}/response-streaming-invocations`, {
          method: 'POST',
          credentials: 'include',
          headers: { 'content-type': 'application/octet-stream' },
        });
        void response.body?.cancel();
        return { status: String(response.status), ...Object.fromEntries(response.headers) };
      };
      return [await headersOf('chat'), await headersOf('other')];
    }, proxy.url);
    await running;
    const [answer, refusal] = await asked;
    expect(answer).toMatchObject({
      status: '200',
      'x-rx-invocation': expect.stringMatching(/^\d+$/) as string,
      'x-amzn-requestid': 'r-1',
      'x-amz-executed-version': '7',
      'x-amzn-remapped-content-type': 'text/plain',
    });
    expect(refusal).toMatchObject({ status: '404', 'x-amzn-errortype': 'RelayRefusal' });
  });

  test('one that is not listed runs nothing and reads nothing, whichever way it asks', async () => {
    const { port } = await servePages(unknown);
    const { proxy, calls, opened, openPage } = await startSite(['https://app.example.com', `https://${host}:${port}`]);
    const page = await openPage(`http://${host}:${port}/empty`);
    const target = `${proxy.url}/api/2021-11-15/functions/chat/response-streaming-invocations`;
    const outcomes = await page.evaluate(async (url) => {
      const ask = (init: RequestInit): Promise<string> =>
        fetch(url, init).then(
          ({ type }) => type,
          (error: unknown) => (error as Error).name,
        );
      return [
        await ask({ method: 'POST', mode: 'no-cors', headers: { 'content-type': 'text/plain' }, body: '{}' }),
        await ask({ method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' }),
        await ask({ method: 'POST', headers: { 'content-type': 'application/octet-stream' } }),
        await ask({ method: 'DELETE' }),
        await ask({ headers: { accept: 'text/event-stream' } }),
        await new Promise((resolve) => {
          const source = new EventSource(url);
          source.onerror = () => resolve(source.readyState === EventSource.CLOSED ? 'closed' : 'again');
        }),
        await new Promise((resolve) => {
          const image = document.body.appendChild(new Image());
          image.onerror = () => resolve('no image');
          image.src = url;
        }),
      ];
    }, target);
    expect(outcomes).toEqual(['opaque', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'closed', 'no image']);
    expect([opened(), calls.length]).toEqual([0, 0]);
  });
});
