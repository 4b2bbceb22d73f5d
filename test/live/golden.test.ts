/**
 * One log of everything that streams do, the same for every supported version of the SDK, of RxJS and of Node, and for
 * both HTTP handlers: `npm run test:matrix` runs this file under each.
 */
import {
  decodeText,
  invokeWithResponseStream,
  parseNdjson,
  retryInvocation,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { scripted } from 'rx-lambda-stream/local';
import { map, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../support/collect.js';
import { httpHandlers, startLive } from '../support/live.js';

const functions = {
  whole: scripted([
    { chunk: '{"id":1}\n{"text":"' },
    { chunk: Uint8Array.of(0xe2, 0x82) },
    { chunk: Uint8Array.of(0xac, 0x22) },
    { unknownEvent: { eventType: 'Progress', payload: 'half' } },
    { chunk: '}\n' },
    { complete: { logTail: 'REPORT' } },
  ]),
  failed: scripted([
    { chunk: 'part' },
    { complete: { errorCode: 'Unhandled', errorDetails: '{"errorType":"E","errorMessage":"m","trace":["t"]}' } },
  ]),
  cut: scripted([{ chunk: 'part' }, 'end']),
  damaged: scripted([{ chunk: 'part' }, { badCrc: 'message' }]),
  thrown: scripted([
    { chunk: 'part' },
    {
      exception: 'TooManyRequestsException',
      body: { message: 'slow', Reason: 'CallerRateLimitExceeded', retryAfterSeconds: 2 },
    },
  ]),
  refused: scripted([
    {
      httpError: {
        statusCode: 429,
        name: 'TooManyRequestsException',
        message: 'slow',
        headers: { 'retry-after': '1' },
        body: { Reason: 'CallerRateLimitExceeded' },
      },
    },
  ]),
  page: scripted([{ head: { headers: { 'content-type': 'text/html' } } }, { raw: '<html>' }]),
  flaky: scripted((_request, attempt) =>
    attempt % 2
      ? [{ httpError: { statusCode: 409, name: 'SnapStartNotReadyException', message: 'wait' } }]
      : [{ chunk: 'at last' }, { complete: {} }],
  ),
  dry: scripted([{ head: { statusCode: 204 } }]),
};

/** An event or error as text, without what differs from run to run. */
function describeValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (value instanceof Error) {
    const { name, message } = value;
    const fields = Object.fromEntries(
      ['code', 'chunks', 'bytes', 'errorType', 'trace', 'Reason', 'retryAfterSeconds', '$fault']
        .filter((field) => field in value)
        .map((field) => [field, (value as unknown as Record<string, unknown>)[field]]),
    );
    // Every run has other request ids.
    return { name, message: message.replace(/\(request [^)]+\)/, '(request ID)'), ...fields };
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([field]) => field !== 'requestId' && field !== 'headers')
      .map(([field, part]) => [field, describeValue(part)]),
  );
}

describe.each(httpHandlers)('with %s', (_name, requestHandler) => {
  it('the log is the golden one', async () => {
    const { client } = await startLive(functions, { requestHandler: requestHandler() });
    const log: Record<string, unknown> = {};
    async function record(title: string, stream: Observable<unknown>): Promise<void> {
      const { values, error, completed } = await outcomeOf(stream.pipe(map(describeValue)));
      log[title] = { values, end: completed ? 'complete' : describeValue(error) };
    }
    const invoke = (FunctionName: string): Observable<LambdaStreamEvent> =>
      invokeWithResponseStream(client, { FunctionName });

    for (const name of Object.keys(functions)) await record(name, invoke(name));
    await record(
      'failed, emitted',
      invokeWithResponseStream(client, { FunctionName: 'failed' }, { functionErrors: 'emit' }),
    );
    await record('text', invoke('whole').pipe(decodeText()));
    await record('records', invoke('whole').pipe(parseNdjson()));
    // The function's first attempt of this run is the second, so it fails once.
    await outcomeOf(invoke('flaky'));
    await record('retried', invoke('flaky').pipe(retryInvocation({ initialDelayMs: 0 })));
    await expect(`${JSON.stringify(log, null, 2)}\n`).toMatchFileSnapshot('golden.json');
  });
});
