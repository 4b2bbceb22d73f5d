import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { chromium, type Page } from 'playwright';
import { concat, EMPTY, NEVER, of, tap, throwError, type Observable } from 'rxjs';
import { FunctionError, type LambdaStreamEvent } from 'rx-lambda-stream';
import { relayedInvoke } from 'rx-lambda-stream/http';
import { chunkEvent, completeEvent, headEvent } from 'rx-lambda-stream/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RelayCall, RelayOptions } from '../../src/relay/index.js';
import { readUntil, send, startRelay } from '../relay/relay-server.js';
import { follow, writtenInvocation, type WrittenInvocation } from '../relay/written-invocation.js';
import { chromiumLaunchOptions } from '../support/chromium.js';
import { textOf, typesOf } from '../support/collect.js';
import { selfSigned } from '../support/self-signed.js';

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Addresses of an nginx: without TLS, and with TLS and HTTP/2. */
interface Nginx {
  readonly url: string;
  readonly secureUrl: string;
}

/**
 * Starts nginx with the settings of the guide, and its defaults for all else: it buffers answers.
 *
 * @param change - Changes the settings.
 */
async function startNginx(upstream: number, change = (settings: string): string => settings): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'relay-nginx-'));
  const [port, securePort] = [await freePort(), await freePort()];
  const { key, cert } = selfSigned();
  writeFileSync(join(folder, 'key.pem'), key);
  writeFileSync(join(folder, 'certificate.pem'), cert);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join('\n');
  const server = readFileSync(new URL('../../examples/relay/nginx.conf', import.meta.url), 'utf8')
    .replace('listen 443 ssl http2;', `listen 127.0.0.1:${port}; listen 127.0.0.1:${securePort} ssl http2;`)
    .replace('127.0.0.1:3000', `127.0.0.1:${upstream}`)
    .replace(/location \/ /, 'location /ready { return 204; }\n$&');
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr;
     events {}
     http {
       access_log off;
       ${temporary}
       ${change(server)}
     }`,
  );
  const nginx = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(nginx, 'exit');
  onTestFinished(async () => {
    nginx.kill();
    await exited;
    rmSync(folder, { recursive: true });
  });
  const url = `http://127.0.0.1:${port}`;
  // It says nothing when it listens.
  for (;;) {
    const ready = await fetch(`${url}/ready`).catch(() => undefined);
    if (ready?.status === 204) return { url, secureUrl: `https://127.0.0.1:${securePort}` };
    if (nginx.exitCode !== null) throw new Error('nginx has ended');
  }
}

/** A relay of one keyed invocation that the test writes. */
async function startWritten(options: Partial<RelayOptions> = {}): Promise<WrittenInvocation & { port: number }> {
  const invocation = writtenInvocation();
  const { port } = await startRelay({ authorize: () => ({ key: 'k', open: invocation.open }), ...options });
  return { ...invocation, port };
}

const sse = { accept: 'text/event-stream', 'accept-encoding': 'gzip' };

describe('through nginx', () => {
  test('which buffers by default, each piece arrives before the next one is written', async () => {
    const { port, running, write, finish } = await startWritten();
    const { url } = await startNginx(port);
    const response = await send(url, { method: 'GET', path: '/stream', headers: { ...sse, origin: url } });
    const client = follow(relayedInvoke({ url })(undefined, { FunctionName: 'chat' }));
    await running;
    for (const text of ['a', 'b']) {
      write(text);
      await client.until((values) => textOf(values).endsWith(text));
      await readUntil(response, new RegExp(`data: "${text}"`));
    }
    finish();
    const { values } = await client.outcome;
    expect(typesOf(values)).toBe('head chunk chunk complete');
    await readUntil(response, /event: end/);
  });

  test('with the guide’s gzip_types events are not compressed, and JSON is', async () => {
    const { port, running, write, finish } = await startWritten();
    const { url } = await startNginx(port);
    const response = await send(url, { method: 'GET', path: '/stream', headers: sse });
    await running;
    write('a');
    finish();
    await readUntil(response, /event: end/);
    expect(response.headers).not.toHaveProperty('content-encoding');
    const refusal = await send(url, { headers: { 'accept-encoding': 'gzip', origin: 'https://other.example' } });
    refusal.resume();
    expect([refusal.statusCode, refusal.headers['content-encoding']]).toEqual([403, 'gzip']);
  });

  test('with text/event-stream in gzip_types it compresses events, whatever the relay says', async () => {
    const { port, running, write } = await startWritten();
    const { url } = await startNginx(port, (settings) =>
      settings.replace('gzip_types', 'gzip_types text/event-stream'),
    );
    const response = await send(url, { method: 'GET', path: '/stream', headers: sse });
    expect(response.headers).toMatchObject({
      'content-encoding': 'gzip',
      'cache-control': 'no-store, no-transform',
    });
    const events = response.pipe(createGunzip());
    await running;
    // It flushes after each piece.
    for (const text of ['a', 'b']) {
      write(text);
      await readUntil(events, new RegExp(`data: "${text}"`));
    }
    response.destroy();
  });

  test('a silent stream outlives proxy_read_timeout by its pings, and without them it is cut', async () => {
    const impatient = (settings: string): string => settings.replace('60s', '1s');
    const pinging = await startWritten({ pingMs: 250 });
    const { url } = await startNginx(pinging.port, impatient);
    const response = await send(url, { method: 'GET', path: '/stream', headers: sse });
    // Two seconds of silence.
    await readUntil(response, /(: ping\n\n){8}/);
    pinging.write('a');
    await readUntil(response, /data: "a"/);
    response.destroy();

    const silent = await startWritten({ pingMs: Infinity });
    const cut = await send((await startNginx(silent.port, impatient)).url, {
      method: 'GET',
      path: '/stream',
      headers: sse,
    });
    cut.resume();
    await once(cut, 'error');
  });

  test('over HTTP/1.1 the seventh stream of a page waits for one to end; over HTTP/2 none waits', async () => {
    const browser = await chromium.launch(chromiumLaunchOptions);
    onTestFinished(() => browser.close());
    let seen: string[] = [];
    const { port } = await startRelay(
      {
        authorize: ({ request }) => ({
          open: () =>
            concat(of(headEvent()), NEVER).pipe(
              tap({
                subscribe: () => seen.push('asks'),
                unsubscribe: () => seen.push(`left ${new URL(request.url).search}`),
              }),
            ),
        }),
      },
      (relay) => (request, response) => {
        if (request.url !== '/') relay.listener(request, response);
        else response.setHeader('content-type', 'text/html').end('<!doctype html>');
      },
    );
    const { url, secureUrl } = await startNginx(port);

    /** Opens seven streams, and resolves when so many of them are open. */
    async function openSeven(origin: string, count: number): Promise<Page> {
      seen = [];
      const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
      await page.goto(origin);
      await page.evaluate((awaited) => {
        const streams = Array.from({ length: 7 }, (_, index) => new EventSource(`/stream?${index}`));
        let open = 0;
        Object.assign(globalThis, { streams });
        return new Promise<void>((resolve) => {
          for (const stream of streams) stream.onopen = () => ++open === awaited && resolve();
        });
      }, count);
      return page;
    }

    const page = await openSeven(url, 6);
    await page.evaluate('streams[0].close()');
    await page.waitForFunction('streams[6].readyState === EventSource.OPEN');
    expect(seen).toEqual([...Array.from({ length: 6 }, () => 'asks'), 'left ?0', 'asks']);
    await page.context().close();

    await openSeven(secureUrl, 7);
    expect(seen.slice(-7)).toEqual(Array.from({ length: 7 }, () => 'asks'));
  });
});

const python = `
import boto3, json, sys
from botocore.config import Config
client = boto3.client('lambda', endpoint_url=sys.argv[1], region_name='us-east-1', aws_access_key_id='nobody',
                      aws_secret_access_key='nothing', config=Config(retries={'max_attempts': 5}))
def ask(name, **members):
    told = {'text': ''}
    try:
        answer = client.invoke_with_response_stream(FunctionName=name, **members)
        for event in answer['EventStream']:
            if 'PayloadChunk' in event: told['text'] += event['PayloadChunk']['Payload'].decode()
            elif 'InvokeComplete' in event: told['complete'] = event['InvokeComplete']
    except Exception as error:
        told['error'] = type(error).__name__
        told['response'] = getattr(error, 'response', {}).get('Error')
    return told
print(json.dumps([
    ask('echo', Payload=b'hi', Qualifier='live', LogType='Tail', ClientContext='eyJjdXN0b20iOnsiYSI6MX19'),
    ask('fails'),
    ask('cut'),
]))
`;

test('boto3 is a client: text, members of the input, errors, and what may have run is sent once', async () => {
  const calls: RelayCall[] = [];
  const { url } = await startRelay({
    authorize(call) {
      calls.push(call);
      const text = new TextDecoder().decode(call.payload);
      const answers: Record<string, Observable<LambdaStreamEvent>> = {
        echo: of(headEvent(), chunkEvent(`You said ${text}`), completeEvent()),
        fails: concat(
          of(headEvent(), chunkEvent('so far')),
          throwError(() => new FunctionError({ functionName: 'fails', errorCode: 'Unhandled', errorDetails: '' })),
        ),
        cut: throwError(() => Object.assign(new Error('reset'), { code: 'ECONNRESET' })),
      };
      return { open: () => answers[call.functionName ?? ''] ?? EMPTY };
    },
  });
  const { stdout } = await promisify(execFile)('python3', ['-c', python, url]);
  const [echo, fails, cut] = JSON.parse(stdout) as [object, object, object];
  expect(echo).toMatchObject({ text: 'You said hi', complete: {} });
  expect(fails).toMatchObject({ text: 'so far', complete: { ErrorCode: 'Unhandled' } });
  expect(cut).toMatchObject({ text: '', error: expect.any(String) as string });
  expect(calls[0]?.input).toMatchObject({
    Qualifier: 'live',
    LogType: 'Tail',
    ClientContext: { custom: { a: 1 } },
  });
  expect(calls.map(({ functionName }) => functionName)).toEqual(['echo', 'fails', 'cut']);
});
