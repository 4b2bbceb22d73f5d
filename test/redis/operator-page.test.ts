import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { BehaviorSubject, concat, concatMap, from, of, type Observable } from 'rxjs';
import { expect, test } from 'vitest';
import type { LambdaStreamEvent } from '../../src/index.js';
import { joinInvocation } from '../../src/log/index.js';
import { chunkEvent, headEvent } from '../../src/testing/index.js';
import { expectNoStrays } from '../support/no-strays.js';
import { until } from '../support/redis-server.js';
import { consume } from './consume.js';
import { numberedBytes } from './numbered-bytes.js';
import { useRedis } from './use-redis.js';

expectNoStrays();

const redis = useRedis()('redis 6');
const page = await readFile(new URL('../../docs/redis-entries.md', import.meta.url), 'utf8');

/** The commands of a section, each with the comment behind it. */
function commandsOf(section: string): readonly { readonly command: string; readonly says: string }[] {
  const [, block = ''] = new RegExp(`## ${section}\n[^]*?\`\`\`sh\n([^]*?)\`\`\``).exec(page) ?? [];
  return block
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+# /))
    .map(([command = '', says = '']) => ({ command, says }));
}

/** Runs a line of the page in a shell, at the server of this test, until it ends or has said enough. */
async function shell(command: string, port: number, isEnough = (_said: string): boolean => false): Promise<string> {
  // `exec`, so that ending the shell ends the command.
  const child = spawn('sh', ['-c', command.replace(/^redis-cli/, `exec redis-cli -p ${port}`)]);
  let said = '';
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString('latin1');
    if (isEnough(said)) child.kill();
  });
  await once(child, 'close');
  return said;
}

/** The lines of an answer that redis-cli prints as pairs. */
function pairs(said: string): Readonly<Record<string, string>> {
  const lines = said.trimEnd().split('\n');
  return Object.fromEntries(lines.flatMap((line, at) => (at % 2 === 0 ? [[line, lines[at + 1] ?? '']] : [])));
}

test('the commands of docs/redis-entries.md show what the page says, of a stream that runs', async () => {
  const [server] = await redis.servers();
  const { port } = server!;
  const log = await redis.openMachine();
  const written = new BehaviorSubject(0);
  const source = (): Observable<LambdaStreamEvent> =>
    concat(of(headEvent()), written.pipe(concatMap((at) => from([chunkEvent(numberedBytes(at * 5, 5))]))));
  const reading = consume(joinInvocation(log, 'chat:42', source, { leaseMs: 2_000 }));
  await until(() => reading.bytes === 5);
  const beside = consume(joinInvocation(log, 'a{b}c', source, { leaseMs: 2_000 }));
  await until(() => beside.bytes === 5);

  const commands = new Map(commandsOf('Looking into the keys').map(({ command, says }) => [says, command]));
  const run = (says: string, isEnough?: (said: string) => boolean): Promise<string> => {
    const [found] = [...commands].filter(([comment]) => comment.startsWith(says));
    expect(found, `a command that says "${says}"`).toBeDefined();
    commands.delete(found![0]);
    return shell(found![1], port, isEnough);
  };

  expect((await run('all invocations')).trim().split('\n').sort()).toEqual([
    'rx:{a%7Bb%7Dc}:meta',
    'rx:{chat:42}:meta',
  ]);

  const meta = pairs(await run('the state of one'));
  const { generation, last } = meta;
  expect(meta).toMatchObject({ status: 'running', last: String(5 * 1024), leaseMs: '2000', ttlMs: '600000' });
  expect(Math.abs(Number(generation) - Date.now())).toBeLessThan(60_000);
  expect(Number(meta['leaseUntil'])).toBeGreaterThan(Number(generation));
  expect(meta['owner']).toMatch(/^\S{8,}$/);
  expect(JSON.parse(meta['opening']!)).toMatchObject({ v: 1 });
  expect(Object.keys(JSON.parse(meta['head']!) as object).length).toBeGreaterThan(0);
  expect(meta).not.toHaveProperty('trimmed');
  expect(meta).not.toHaveProperty('end');
  // The page's table names every field that there is.
  for (const field of Object.keys(meta)) expect(page, field).toMatch(new RegExp(`^\\| [^|]*\`${field}\``, 'm'));

  const here = Object.values(pairs(await run('who reads')));
  expect(here).toHaveLength(1);
  expect(here[0]).toMatch(new RegExp(`^\\d{13} ${generation}-\\d+$`));

  const info = await run('how many entries');
  expect(info).toMatch(/^length\n3$/m);
  expect(info).toMatch(new RegExp(`^last-generated-id\n${generation}-${last}$`, 'm'));
  expect(info).toMatch(/^first-entry$/m);
  const first = await run('the first entries');
  expect(first.split('\n')[0]).toBe(`${generation}-0`);
  expect(first).toMatch(/^p\n0-0\nr\n\{.*"v":1/m);
  const newest = await run('the newest one');
  expect(newest.split('\n').slice(0, 4)).toEqual([`${generation}-${last}`, 'p', '1', 'b']);
  expect(Number(await run('its memory'))).toBeGreaterThan(100);
  expect(Number(await run('when it expires'))).toBeGreaterThan(500_000);

  const said = await run('what is published', (so) => {
    if (so.includes('subscribe')) written.next(written.value + 1);
    return /^message$/m.test(so);
  });
  expect(said).toContain('rx:{chat:42}:live');
  // The server has noticed that redis-cli is gone.
  await until(async () => (await server!.cli('PUBSUB', 'NUMSUB', 'rx:{chat:42}:live')).endsWith('\n1'));
  const list = (await run('two connections for each process')).trim().split('\n');
  // The client and its subscriber; the third is redis-cli itself.
  expect(list.filter((line) => !line.includes('cmd=client|list'))).toHaveLength(2);
  expect([...commands.keys()]).toEqual([]);

  // What the page says about `DEL`.
  await server!.cli('DEL', 'rx:{chat:42}:meta');
  await reading.ended;
  expect(reading).toMatchObject({ end: 'producer-lost', error: { reason: 'log' }, isWhole: true });
  expect(beside.end).toBeUndefined();
  beside.leave();
});

test('the user of docs/redis-entries.md can be made as the page says', async () => {
  const [server] = await redis.servers();
  const command = page.match(/```sh\n(redis-cli ACL SETUSER [^]*?)```/)![1]!.replaceAll('\\\n', '');
  expect(await shell(command, server!.port)).toBe('OK\n');
  expect(await server!.cli('--user', 'relay', '--pass', 'secret', '--no-auth-warning', 'PING')).toBe('PONG');
  expect(await server!.cli('--user', 'relay', '--pass', 'secret', '--no-auth-warning', 'GET', 'rx:{a}:meta')).toMatch(
    /^NOPERM/,
  );
});
