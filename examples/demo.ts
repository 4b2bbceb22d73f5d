/**
 * `npm run demo`: a real LambdaClient streams from a local endpoint, for less than ten seconds; no AWS account needed.
 * `npm run demo -- --relay` serves a page instead, and opens it.
 */
import { LambdaClient } from '@aws-sdk/client-lambda';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  decodeText,
  invokeWithResponseStream,
  parseNdjson,
  retryInvocation,
  shareInvocation,
  TruncatedStreamError,
} from 'rx-lambda-stream';
import { scripted, startLocalLambda } from 'rx-lambda-stream/local';
import { catchError, EMPTY, filter, forkJoin, lastValueFrom, count, reduce, tap, timer } from 'rxjs';

// A demo is no place for the SDK's notice about its next Node version.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const answer =
  'An Observable is lazy 💤, pushes values over time ⏳, and stops when you unsubscribe ✋. ' +
  'You see each word while the handler is still writing.';

const sleep = (ms: number): Promise<unknown> => lastValueFrom(timer(ms));
const print = (text: string): boolean => process.stdout.write(text);
const say = (line: string): boolean => print(`   ${line}\n`);

/** Writes its answer in pieces of 7 bytes, so that characters are cut in two. */
async function* chat(): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(answer);
  for (let at = 0; at < bytes.length; at += 7) {
    yield bytes.subarray(at, at + 7);
    await sleep(50);
  }
}

/** Writes NDJSON records in chunks that end anywhere within a line. */
async function* report(): AsyncGenerator<string> {
  const lines = Array.from({ length: 6 }, (_, i) => JSON.stringify({ step: i + 1, of: 6 })).join('\n');
  for (let at = 0; at < lines.length; at += 11) {
    yield lines.slice(at, at + 11);
    await sleep(60);
  }
}

/** Never ends by itself. */
async function* ticker(): AsyncGenerator<string> {
  for (let tick = 1; ; tick++) {
    yield `tick ${tick}  `;
    await sleep(80);
  }
}

async function runDemo(): Promise<void> {
  const local = await startLocalLambda({
    functions: {
      chat,
      report,
      ticker,
      cut: scripted([{ chunk: 'half of the ans' }, { waitMs: 500 }, 'reset']),
      busy: scripted((_request, attempt) =>
        attempt === 1
          ? [{ httpError: { statusCode: 429, name: 'TooManyRequestsException' } }]
          : [{ chunk: 'and here is the answer.' }, { complete: {} }],
      ),
    },
  });
  const client = new LambdaClient(local.clientConfig);
  const invoke = (FunctionName: string) => invokeWithResponseStream(client, { FunctionName });
  try {
    if (process.stdout.isTTY) console.clear();
    print('1. Text, as it is written:\n   ');
    await lastValueFrom(invoke('chat').pipe(decodeText(), tap(print)));

    print('\n\n2. NDJSON, one line a record:\n');
    await lastValueFrom(
      invoke('report').pipe(
        parseNdjson<{ step: number; of: number }>(),
        tap(({ step, of }) => say(`${'█'.repeat(step)}${'░'.repeat(of - step)} step ${step} of ${of}`)),
      ),
    );

    print('\n3. A connection that is cut, which the SDK’s loop may not tell:\n   ');
    await lastValueFrom(
      invoke('cut').pipe(
        decodeText(),
        tap(print),
        catchError((error: unknown) => {
          if (!(error instanceof TruncatedStreamError)) throw error;
          print(` … ${error.name} after ${error.bytes} bytes\n`);
          return EMPTY;
        }),
      ),
      { defaultValue: undefined },
    );

    print('\n4. A throttled call, tried again by the type of its exception:\n');
    await lastValueFrom(
      invoke('busy').pipe(
        retryInvocation({ initialDelayMs: 800, jitter: 'none' }),
        tap((event) => {
          if (event.type === 'retry') say(`${(event.error as Error).name}, again in ${event.delayMs} ms …`);
        }),
        decodeText(),
        tap(say),
      ),
    );

    print('\n5. Two consumers of one invocation:\n');
    const before = local.requests.length;
    const shared = invoke('report').pipe(shareInvocation());
    const [records, bytes] = await lastValueFrom(
      forkJoin([
        shared.pipe(parseNdjson(), count()),
        shared.pipe(
          filter((event) => event.type === 'chunk'),
          reduce((sum, { payload }) => sum + payload.length, 0),
        ),
      ]),
    );
    const requests = local.requests.length - before;
    say(`one counted ${records} records, the other ${bytes} bytes, of ${requests} request`);

    print('\n6. An endless stream, left after 600 ms:\n   ');
    const subscription = invoke('ticker').pipe(decodeText()).subscribe(print);
    await sleep(600);
    const unsubscribed = performance.now();
    subscription.unsubscribe();
    const closedEarly = await local.requests.at(-1)?.closedEarly;
    const ms = (performance.now() - unsubscribed).toFixed(1);
    print('\n');
    say(closedEarly ? `The server saw the connection close after ${ms} ms.` : 'The connection stayed open!');
  } finally {
    client.destroy();
    await local.close();
  }
}

/** Shows a page with the system's browser, where somebody is there to see it. */
function openPage(url: string): void {
  if (!process.stdout.isTTY) return;
  const [command = '', ...args] =
    process.platform === 'darwin' ? ['open'] : process.platform === 'win32' ? ['cmd', '/c', 'start'] : ['xdg-open'];
  spawn(command, [...args, url], { stdio: 'ignore', detached: true })
    .on('error', () => say(`Open ${url}`))
    .unref();
}

/** Runs examples/relay, with a local function in AWS's place. */
async function startRelay(): Promise<string> {
  async function* writeReport({ id }: { id: string }): AsyncGenerator<string> {
    for (let line = 1; line <= 100; line++) {
      yield `${id}, line ${line}\n`;
      await sleep(200);
    }
  }
  const local = await startLocalLambda({ functions: { report: writeReport } });
  process.env.AWS_ENDPOINT_URL_LAMBDA = local.endpoint;
  process.env.AWS_REGION = 'us-east-1';
  process.env.AWS_ACCESS_KEY_ID = process.env.AWS_SECRET_ACCESS_KEY = 'local';
  process.env.PORT ??= '0';
  const { server } = await import('./relay/main.js');
  if (!server.listening) await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/#today`;
}

if (process.argv.includes('--relay')) {
  const url = await startRelay();
  say(`Listening on ${url}`);
  say('Each window reads the same invocation. Reload one: it goes on where it was. Ctrl-C ends it.');
  openPage(url);
} else {
  await runDemo();
}
