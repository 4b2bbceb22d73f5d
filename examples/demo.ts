/**
 * `npm run demo`: a real LambdaClient streams from a local endpoint; no AWS account needed.
 */
import { LambdaClient } from '@aws-sdk/client-lambda';
import { decodeText, invokeWithResponseStream, parseNdjson } from 'rx-lambda-stream';
import { startLocalLambda } from 'rx-lambda-stream/local';
import { lastValueFrom, tap, timer } from 'rxjs';

const answer =
  'An Observable is lazy 💤, pushes values over time ⏳, and stops when you unsubscribe ✋. ' +
  'This text is written by a Lambda handler word by word; you see each one while the handler is still writing.';

const sleep = (ms: number): Promise<unknown> => lastValueFrom(timer(ms));

/** Writes its answer in pieces of 7 bytes, so that characters are cut in two. */
async function* chat(): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(answer);
  for (let at = 0; at < bytes.length; at += 7) {
    yield bytes.subarray(at, at + 7);
    await sleep(40);
  }
}

/** Writes NDJSON records, with borders that do not care for lines. */
async function* report(): AsyncGenerator<string> {
  const lines = Array.from({ length: 8 }, (_, i) => JSON.stringify({ step: i + 1, of: 8 })).join('\n');
  for (let at = 0; at < lines.length; at += 11) {
    yield lines.slice(at, at + 11);
    await sleep(30);
  }
}

/** Never ends by itself. */
async function* ticker(): AsyncGenerator<string> {
  for (let tick = 1; ; tick++) {
    yield `tick ${tick}  `;
    await sleep(50);
  }
}

const print = (text: string): boolean => process.stdout.write(text);

const local = await startLocalLambda({ functions: { chat, report, ticker } });
const client = new LambdaClient(local.clientConfig);
try {
  print(`A local Lambda listens on ${local.endpoint}\n\n1. Text, as it is written:\n   `);
  await lastValueFrom(invokeWithResponseStream(client, { FunctionName: 'chat' }).pipe(decodeText(), tap(print)));

  print('\n\n2. NDJSON, one line a record:\n');
  await lastValueFrom(
    invokeWithResponseStream(client, { FunctionName: 'report' }).pipe(
      parseNdjson<{ step: number; of: number }>(),
      tap(({ step, of }) => print(`   ${'█'.repeat(step)}${'░'.repeat(of - step)} step ${step} of ${of}\n`)),
    ),
  );

  print('\n3. An endless stream, left after 400 ms:\n   ');
  const subscription = invokeWithResponseStream(client, { FunctionName: 'ticker' }).pipe(decodeText()).subscribe(print);
  await sleep(400);
  const unsubscribed = performance.now();
  subscription.unsubscribe();
  const closedEarly = await local.requests.at(-1)?.closedEarly;
  const ms = (performance.now() - unsubscribed).toFixed(1);
  print(
    `\n   ${closedEarly ? `The server saw the connection close after ${ms} ms.` : 'The connection stayed open!'}\n`,
  );
} finally {
  client.destroy();
  await local.close();
}
