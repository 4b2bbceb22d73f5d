/** The recipes of docs/observability.md, run as they are shown. */
import { scripted, startLocalLambda } from 'rx-lambda-stream/local';
import { expect, it, onTestFinished } from 'vitest';
import { runExample } from './run-example.js';

type Steps = Parameters<typeof scripted>[0];

const complete: Steps = [{ chunk: 'Hello ' }, { chunk: 'you' }, { complete: {} }];
const cut: Steps = [{ chunk: 'Hello' }, 'end'];
const throttledOnce: Steps = (_request, attempt) =>
  attempt === 1 ? [{ httpError: { statusCode: 429, name: 'TooManyRequestsException' } }] : complete;

async function runRecipe(name: string, steps: Steps): Promise<{ status: number; stdout: string }> {
  const local = await startLocalLambda({ functions: { chat: scripted(steps) } });
  onTestFinished(() => local.close());
  return runExample(`examples/observe-${name}.ts`, local.endpoint);
}

const jsonLines = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

it.each([
  ['complete', complete, 0, { level: 30, msg: 'invocation complete', outcome: 'complete', attempts: 1, bytes: 9 }],
  ['throttled', throttledOnce, 0, { level: 30, outcome: 'complete', attempts: 2, chunks: 2 }],
  ['cut', cut, 1, { level: 50, msg: 'invocation failed', outcome: 'failed', err: { type: 'TruncatedStreamError' } }],
] as const)('pino: one line tells of an invocation that is %s', async (_how, steps, expectedStatus, expected) => {
  const { status, stdout } = await runRecipe('pino', steps);
  const lines = jsonLines(stdout);
  expect(status).toBe(expectedStatus);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ functionName: 'chat', ...expected });
});

it('Powertools: one line of embedded metrics, with units and dimensions', async () => {
  const { stdout } = await runRecipe('emf', complete);
  const [line] = jsonLines(stdout);
  expect(line).toMatchObject({ functionName: 'chat', outcome: 'complete', service: 'web', bytes: 9, attempts: 1 });
  expect(line).toMatchObject({ firstChunk: expect.any(Number) as number, duration: expect.any(Number) as number });
  const { CloudWatchMetrics } = line?.['_aws'] as { CloudWatchMetrics: Record<string, unknown>[] };
  expect(CloudWatchMetrics).toMatchObject([
    {
      Namespace: 'chat',
      Dimensions: [['service', 'functionName', 'outcome']],
      Metrics: [
        { Name: 'firstChunk', Unit: 'Milliseconds' },
        { Name: 'duration', Unit: 'Milliseconds' },
        { Name: 'bytes', Unit: 'Bytes' },
        { Name: 'attempts', Unit: 'Count' },
      ],
    },
  ]);
});

it('Powertools: an invocation that fails has its outcome as a dimension', async () => {
  const { status, stdout } = await runRecipe('emf', cut);
  expect(status).toBe(1);
  expect(jsonLines(stdout)).toMatchObject([{ outcome: 'failed', bytes: 5 }]);
});

it('the histogram holds the time to the first chunk, by outcome', async () => {
  const { status, stdout } = await runRecipe('histogram', complete);
  expect(status).toBe(0);
  expect(stdout).toContain("name: 'chat.first_chunk'");
  expect(stdout).toContain("outcome: 'complete'");
  expect(stdout).toMatch(/count: 1\b/);
});

it('the trace has one CLIENT span, whose context the function is sent', async () => {
  const clientContexts: unknown[] = [];
  const chat = scripted(({ headers }) => {
    clientContexts.push(JSON.parse(Buffer.from(String(headers['x-amz-client-context']), 'base64').toString()));
    return [{ chunk: 'Hello' }, { complete: {} }];
  });
  const local = await startLocalLambda({ functions: { chat } });
  onTestFinished(() => local.close());
  const { status, stdout } = await runExample('examples/trace.ts', local.endpoint);
  expect(status).toBe(0);
  const [, traceId = ''] = /traceId: '(\w+)'/.exec(stdout) ?? [];
  expect(stdout).toContain("name: 'invoke chat'");
  expect(stdout).toContain("'faas.invoked_name': 'chat'");
  expect(clientContexts).toEqual([{ custom: { traceparent: expect.stringContaining(traceId) as string } }]);
});
