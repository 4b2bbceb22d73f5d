/** docs/script-steps.md: every step is on the page, and a subscriber gets what the page says. */
import { runInNewContext } from 'node:vm';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { scripted, type ScriptedFunction, type ScriptStep } from 'rx-lambda-stream/local';
import { firstValueFrom } from 'rxjs';
import { expect, it } from 'vitest';
import { outcomeOf } from '../support/collect.js';
import { startLive } from '../support/live.js';
import { codeIn, read, readPage, sectionOf, tableRows } from './markdown-page.js';

const page = readPage('docs/script-steps.md');
const rows = ['A response', 'A failure'].flatMap((heading) => tableRows(sectionOf(page, heading), 'step'));
const steps = rows.map(({ step = '', subscriber = '' }) => [codeIn(step)[0] ?? '', codeIn(subscriber)] as const);

/** Reads the page's JavaScript. */
const parse = (code: string): ScriptStep => runInNewContext(`(${code})`, { promise: Promise.resolve() }) as ScriptStep;

const nameOf = (step: ScriptStep): string => (typeof step === 'string' ? step : (Object.keys(step)[0] ?? ''));

const input = { FunctionName: 'f' };

it('has every step that there is', () => {
  const source = read('src/local/script/scripted.ts');
  const names = [...source.matchAll(/^const \w+ = new Set\(\[([^\]]*)\]\);$/gm)].flatMap(([, list = '']) =>
    [...list.matchAll(/'(\w+)'/g)].map(([, name]) => name),
  );
  expect(names.length).toBeGreaterThan(15);
  expect([...new Set(steps.map(([code]) => nameOf(parse(code))))].sort()).toEqual([...new Set(names)].sort());
});

it.each(steps.filter(([code]) => code !== "'stall'"))(
  '%s gives a subscriber what the page says',
  async (code, expected) => {
    const step = parse(code);
    // A broken connection is a truncated stream only once there is a stream.
    const before: ScriptStep[] = step === 'reset' || step === 'end' ? ['flush'] : [];
    const isLast = ['complete', 'httpError', 'reset', 'end'].includes(nameOf(step));
    const after: ScriptStep[] = isLast ? [] : [{ complete: {} }];
    const { client } = await startLive({ f: scripted([...before, step, ...after]) });
    const { values, error } = await outcomeOf(invokeWithResponseStream(client, input));
    const types = values.map(({ type }) => type as string).filter((type) => type !== 'head');
    if (nameOf(step) !== 'complete' && types.at(-1) === 'complete') types.pop();
    expect([...types, ...(error === undefined ? [] : [(error as Error).name])]).toEqual(expected);
  },
);

it('runs the example at the top of the page', async () => {
  const code = page.blocks[0]?.code ?? '';
  const { client } = await startLive(
    runInNewContext(`${code}; functions`, { scripted }) as Record<string, ScriptedFunction>,
  );
  const { error } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'broken' }));
  expect(error).toMatchObject({ code: 'truncated', bytes: 15 });
});

it('stall gives nothing, until the client leaves', async () => {
  const { local, client } = await startLive({ f: scripted(['flush', 'stall']) });
  expect((await firstValueFrom(invokeWithResponseStream(client, input))).type).toBe('head');
  expect(await local.requests[0]?.closedEarly).toBe(true);
});

it('a reset without a step before it is the SDK’s TimeoutError', async () => {
  const { client } = await startLive({ f: scripted(['reset']) });
  const { error } = await outcomeOf(invokeWithResponseStream(client, input));
  expect(error).toMatchObject({ name: 'TimeoutError', code: 'ECONNRESET' });
});

it('a wrong step that a function returns is a ServiceException that quotes the TypeError', async () => {
  const { client } = await startLive({ f: scripted(() => [{ nope: 1 } as unknown as ScriptStep]) });
  const { error } = await outcomeOf(invokeWithResponseStream(client, input));
  const message = expect.stringContaining('TypeError: Script step 0 is unknown') as unknown;
  expect(error).toMatchObject({ name: 'ServiceException', message });
});
