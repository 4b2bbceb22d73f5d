import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { concat, EMPTY, of, Subject, throwError, type Observable } from 'rxjs';
import { FunctionError, type LambdaStreamEvent } from 'rx-lambda-stream';
import { relayedInvoke } from 'rx-lambda-stream/http';
import { chunkEvent, completeEvent, headEvent } from 'rx-lambda-stream/testing';
import { expect, onTestFinished, test } from 'vitest';
import type { RelayCall } from '../../src/relay/index.js';
import { readUntil, send, startRelay } from '../relay/relay-server.js';

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts nginx with the settings of the guide, and its defaults for all else: it buffers answers. */
async function startNginx(upstream: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'relay-nginx-'));
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join('\n');
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr;
     events {}
     http {
       access_log off;
       ${temporary}
       server {
         listen 127.0.0.1:${port};
         location /ready { return 204; }
         location / {
           proxy_pass http://127.0.0.1:${upstream};
           proxy_http_version 1.1;
           proxy_read_timeout 60s;
           proxy_set_header Host $http_host;
         }
       }
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
    if (ready?.status === 204) return url;
    if (nginx.exitCode !== null) throw new Error('nginx has ended');
  }
}

test('through nginx, which buffers by default, each piece arrives before the next one is written', async () => {
  const pieces = new Subject<LambdaStreamEvent>();
  const { port } = await startRelay({
    authorize: () => ({ key: 'k', open: () => concat(of(headEvent()), pieces, of(completeEvent())) }),
  });
  const url = await startNginx(port);
  const response = await send(url, {
    method: 'GET',
    path: '/stream',
    headers: { accept: 'text/event-stream', origin: url },
  });
  await readUntil(response, /id: \d+-0\n\n/);
  const texts: string[] = [];
  await new Promise<void>((resolve, reject) => {
    relayedInvoke({ url })(undefined, { FunctionName: 'chat' }).subscribe({
      next(event) {
        if (event.type === 'head') pieces.next(chunkEvent('a'));
        if (event.type !== 'chunk') return;
        texts.push(new TextDecoder().decode(event.payload));
        if (texts.length === 1) pieces.next(chunkEvent('b'));
        else pieces.complete();
      },
      error: reject,
      complete: resolve,
    });
  });
  expect(texts).toEqual(['a', 'b']);
  const ended = readUntil(response, /event: end/);
  response.resume();
  await ended;
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
