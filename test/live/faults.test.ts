/**
 * Each way in which a stream goes wrong, at each position, with each HTTP handler: what was delivered, what the error
 * is, that there is one end and no more, and that nothing is left behind.
 */
import { getEventListeners } from 'node:events';
import { invokeWithResponseStream, isLambdaStreamError, type LambdaStreamEvent } from 'rx-lambda-stream';
import { scripted, type ScriptStep } from 'rx-lambda-stream/local';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';
import { chunkFrame, completeFrame, concat } from '../support/frames.js';
import { httpHandlers, startLive } from '../support/live.js';
import { expectNoStrays } from '../support/no-strays.js';

expectNoStrays();

type Steps = readonly ScriptStep[];

/** What the server has sent when it happens, and what the subscriber has seen by then. */
const positions: Record<string, { sent: Steps; seen: string; insideFrame?: true; complete?: true }> = {
  'before the headers': { sent: [], seen: '' },
  'after the headers': { sent: ['flush'], seen: 'head' },
  'inside the first frame': { sent: [{ raw: chunkFrame('one').subarray(0, 20) }], seen: 'head', insideFrame: true },
  'after data': { sent: [{ chunk: 'one' }], seen: 'head chunk' },
  'inside a later frame': {
    sent: [{ chunk: 'one' }, { raw: chunkFrame('two').subarray(0, 20) }],
    seen: 'head chunk',
    insideFrame: true,
  },
  'inside the InvokeComplete': {
    sent: [{ chunk: 'one' }, { raw: completeFrame().subarray(0, -1) }],
    seen: 'head chunk',
    insideFrame: true,
  },
  'after InvokeComplete': { sent: [{ chunk: 'one' }, { complete: {} }], seen: 'head chunk complete', complete: true },
};

/** What happens, and how the error is told by its code, or by its name where it is AWS's. */
const failures: Record<string, { steps: Steps; error: string; anywhere?: true }> = {
  'a reset': { steps: [{ waitMs: 5 }, 'reset'], error: 'truncated', anywhere: true },
  'a clean end': { steps: ['end'], error: 'truncated', anywhere: true },
  'bytes that are no frame': { steps: [{ raw: 'noise '.repeat(50) }, 'stall'], error: 'protocol', anywhere: true },
  'a wrong message checksum': { steps: [{ badCrc: 'message' }, 'stall'], error: 'protocol' },
  'a wrong prelude checksum': { steps: [{ badCrc: 'prelude' }, 'stall'], error: 'protocol' },
  'an impossible length': { steps: [{ bogusLength: 7 }, 'stall'], error: 'protocol' },
  'a length over the limit': { steps: [{ bogusLength: 0xffff_0000 }, 'stall'], error: 'protocol' },
  'an exception': { steps: [{ exception: 'ServiceException', body: {} }, 'stall'], error: 'ServiceException' },
  'an error frame': { steps: [{ errorFrame: { code: 'Oops', message: 'x' } }, 'stall'], error: 'Oops' },
  'a failed function': {
    steps: [{ complete: { errorCode: 'Unhandled', errorDetails: '{}' } }],
    error: 'function-error',
  },
};

const cases = Object.entries(positions).flatMap(([where, position]) =>
  Object.entries(failures)
    .filter(([, { anywhere }]) => anywhere || !position.insideFrame)
    .map(([what, failure]) => ({ what, where, position, failure })),
);

/** The signals of all controllers that are made from here to the end of the test. */
function watchSignals(): AbortSignal[] {
  const signals: AbortSignal[] = [];
  const Original = AbortController;
  vi.stubGlobal(
    'AbortController',
    class extends Original {
      constructor() {
        super();
        signals.push(this.signal);
      }
    },
  );
  onTestFinished(() => void vi.unstubAllGlobals());
  return signals;
}

describe.each(httpHandlers)('with %s', (handlerName, requestHandler) => {
  it.each(cases)('$what $where', async ({ position, failure, where }) => {
    const signals = watchSignals();
    const { local, client } = await startLive(
      { f: scripted([...position.sent, ...failure.steps]) },
      { requestHandler: requestHandler() },
    );
    let ends = 0;
    const values: LambdaStreamEvent[] = [];
    const error = await new Promise<unknown>((resolve) => {
      invokeWithResponseStream(client, { FunctionName: 'f' }).subscribe({
        next: (event) => values.push(event),
        error(reason: unknown) {
          ends++;
          resolve(reason);
        },
        complete() {
          ends++;
          resolve(undefined);
        },
      });
    });

    const isUnanswered = where === 'before the headers' && failure.steps.includes('reset');
    // Any byte sends the headers first.
    const seen = where === 'before the headers' && !isUnanswered ? 'head' : position.seen;
    expect(typesOf(values)).toBe(seen);
    if (position.complete) {
      expect(error).toBeUndefined();
    } else if (isUnanswered) {
      // The transport's own error, as the SDK passes it on.
      expect(isLambdaStreamError(error)).toBe(false);
      expect(error).toBeInstanceOf(Error);
    } else {
      const { code, name } = error as { code?: string; name: string };
      expect(isLambdaStreamError(error) ? code : name).toBe(failure.error);
    }

    const [request] = local.requests;
    await request?.closed;
    await new Promise((resolve) => setImmediate(resolve));
    expect(ends).toBe(1);
    expect(local.requests).toHaveLength(1);
    if (handlerName === 'NodeHttpHandler') {
      // Node's fetch leaves its own to the garbage collector.
      while (signals.some((signal) => getEventListeners(signal, 'abort').length > 0)) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(signals.length).toBeGreaterThan(0);
    }
  });

  it.each([
    ['two frames and the end in one read', [{ raw: concat(chunkFrame('one'), chunkFrame('two'), completeFrame()) }]],
    [
      'one frame in a hundred reads',
      Array.from(concat(chunkFrame('onetwo'), completeFrame()), (byte) => ({ raw: Uint8Array.of(byte) })),
    ],
  ] as [string, Steps][])('%s are the same events', async (_how, steps) => {
    const { client } = await startLive({ f: scripted(steps) }, { requestHandler: requestHandler() });
    const { values, completed } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f' }));
    expect([textOf(values), typesOf(values.slice(-1)), completed]).toEqual(['onetwo', 'complete', true]);
  });
});

it('a byte that is damaged on the way never gives a wrong event', async () => {
  const whole = concat(chunkFrame('first'), chunkFrame('second'), completeFrame());
  const { client } = await startLive({
    damaged: scripted(({ payload }) => {
      const at = JSON.parse(new TextDecoder().decode(payload)) as number;
      const bytes = whole.slice();
      bytes[at]! ^= 1 << (at % 8);
      return [{ raw: bytes }];
    }),
  });
  for (let at = 0; at < whole.length; at++) {
    const stream = invokeWithResponseStream(client, { FunctionName: 'damaged', Payload: `${at}` });
    const { values, error, completed } = await outcomeOf(stream);
    expect([at, completed, (error as { code?: string }).code]).toEqual([at, false, 'protocol']);
    expect('firstsecond'.startsWith(textOf(values))).toBe(true);
  }
});
