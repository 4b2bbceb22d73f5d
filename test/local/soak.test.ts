import { InvokeWithResponseStreamCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { Agent } from 'node:http';
import { scripted, startLocalLambda, streamifyResponse, type LocalFunction } from 'rx-lambda-stream/local';
import { expect, test } from 'vitest';

const never = new Promise<never>(() => undefined);

/** Functions by the fate of their invocations, each with what the client must see of it. */
const fates: Record<string, { fn: LocalFunction; seen: string; closedEarly: boolean }> = {
  streams: {
    fn: streamifyResponse(async (_event, stream) => {
      for (let n = 0; n < 5; n++) {
        stream.write('part');
        await new Promise((resolve) => setImmediate(resolve));
      }
      stream.end();
    }),
    seen: 'partpartpartpartpart complete',
    closedEarly: false,
  },
  large: { fn: () => 'x'.repeat(300_000), seen: '300002 complete', closedEarly: false },
  throws: {
    fn: async function* () {
      yield await Promise.resolve('part');
      throw new RangeError('no');
    },
    seen: 'part RangeError',
    closedEarly: false,
  },
  timesOut: {
    fn: { handler: streamifyResponse(() => never), timeoutMs: 50 },
    seen: ' Sandbox.Timedout',
    closedEarly: false,
  },
  resets: { fn: scripted([{ chunk: 'part' }, 'reset']), seen: 'part ECONNRESET', closedEarly: false },
  endsEarly: { fn: scripted([{ chunk: 'part' }]), seen: 'part nothing', closedEarly: false },
  breaks: { fn: scripted([{ badCrc: 'message' }]), seen: ' checksum', closedEarly: false },
  refuses: {
    fn: scripted([{ httpError: { statusCode: 429, name: 'TooManyRequestsException', message: 'm' } }]),
    seen: ' TooManyRequestsException',
    closedEarly: false,
  },
  // The client leaves these after the first chunk.
  stalls: { fn: scripted([{ chunk: 'part' }, 'stall']), seen: 'part AbortError', closedEarly: true },
  missing: { fn: undefined as never, seen: ' ResourceNotFoundException', closedEarly: false },
};

/** Invokes a function and says in a few words what came of it. */
async function see(client: LambdaClient, FunctionName: string): Promise<string> {
  const abort = new AbortController();
  let text = '';
  try {
    const command = new InvokeWithResponseStreamCommand({ FunctionName });
    const { EventStream } = await client.send(command, { abortSignal: abort.signal });
    for await (const { PayloadChunk, InvokeComplete } of EventStream ?? []) {
      text += Buffer.from(PayloadChunk?.Payload ?? []).toString();
      if (FunctionName === 'stalls') abort.abort();
      if (InvokeComplete) return `${text.length > 100 ? text.length : text} ${InvokeComplete.ErrorCode ?? 'complete'}`;
    }
    return `${text} nothing`;
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string };
    const what = message.includes('checksum') ? 'checksum' : name === 'Error' ? code : name;
    return `${text} ${abort.signal.aborted ? 'AbortError' : (what ?? message)}`;
  }
}

test(
  '1,000 concurrent invocations of mixed fates are each accounted for, and nothing is left',
  { timeout: 90_000 },
  async () => {
    const strays: unknown[] = [];
    const onStray = (stray: unknown): void => void strays.push(stray);
    process.on('unhandledRejection', onStray);
    const onWarning = (warning: Error): void => {
      if (warning.name.includes('MaxListeners')) strays.push(warning);
    };
    process.on('warning', onWarning);
    const functions = Object.fromEntries(
      Object.entries(fates).flatMap(([name, { fn }]) => (name === 'missing' ? [] : [[name, fn]])),
    );
    const handlesBefore = process.getActiveResourcesInfo().length;
    const local = await startLocalLambda({ functions });
    const client = new LambdaClient({
      ...local.clientConfig,
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler({ httpAgent: new Agent({ keepAlive: true, maxSockets: 1_000 }) }),
    });
    const names = Array.from({ length: 1_000 }, (_, n) => Object.keys(fates)[n % Object.keys(fates).length] ?? '');

    const seen = await Promise.all(names.map((name) => see(client, name)));
    await local.idle();

    expect(seen.map((what, n) => `${names[n] ?? ''}: ${what}`)).toEqual(
      names.map((name) => `${name}: ${fates[name]?.seen ?? ''}`),
    );
    expect(local.requests).toHaveLength(1_000);
    for (const { functionName, closedEarly } of local.requests) {
      expect([functionName, await closedEarly]).toEqual([functionName, fates[functionName]?.closedEarly]);
    }
    client.destroy();
    await local.close();
    expect(local.openConnections).toBe(0);
    // The client's sockets close a turn of the event loop after the endpoint's.
    await expect.poll(() => process.getActiveResourcesInfo().length).toBeLessThanOrEqual(handlesBefore);
    process.off('unhandledRejection', onStray);
    process.off('warning', onWarning);
    expect(strays).toEqual([]);
  },
);
