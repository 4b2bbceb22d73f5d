import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runBin, runShell } from './run-bin.js';
import { startServe, useFolder } from './start-serve.js';

const { write, folder } = useFolder();

/** A file whose module keeps the process: a timer, a server, a pool's worth of sockets to it. */
const holder = `
import { createServer, connect } from 'node:net';
setInterval(() => undefined, 1_000);
const server = createServer().listen(0, '127.0.0.1', () => {
  for (let n = 0; n < 3; n++) connect(server.address().port, '127.0.0.1');
});
`;
const handler = 'export const handler = async () => 1;\n';

describe('a file that holds timers, servers and sockets keeps nobody waiting', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('after %s, exit code 0', async (signal) => {
    const { bin, text } = await startServe([await write('fn.mjs', holder + handler)]);
    expect(await text('fn')).toBe('1');
    bin.child.kill(signal);
    expect(await bin.ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('where the port is taken, exit code 1', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    onTestFinished(() => void other.close());
    const port = String((other.address() as AddressInfo).port);
    const { code, stderr } = await runBin(['serve', await write('fn.mjs', holder + handler), '--port', port]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('EADDRINUSE')]);
  });

  test('where it throws, exit code 1', async () => {
    const { code, stderr } = await runBin(['serve', await write('fn.mjs', `${holder}throw new Error('at load');`)]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('Error: at load')]);
  });
});

describe('stopping', () => {
  test('gives running handlers a second, and takes no more', async () => {
    const { bin, text } = await startServe([
      await write(
        'fn.mjs',
        `export const handler = async () => {
           console.log('started');
           await new Promise((resolve) => process.once('SIGINT', () => setTimeout(resolve, 50)));
           return 'whole';
         };
         export const endless = () => { console.log('runs on'); return new Promise(() => undefined); };`,
      ),
    ]);
    const answer = text('fn');
    const lost = text('fn.endless').catch((error: unknown) => error);
    await bin.printed(/started[^]*runs on|runs on[^]*started/);
    bin.child.kill('SIGINT');
    expect(await answer).toBe('"whole"');
    expect(await lost).toBeInstanceOf(Error);
    expect((await bin.ended).code).toBe(0);
  });

  test('twice ends at once', async () => {
    const { bin, text } = await startServe([
      await write(
        'fn.mjs',
        `export const handler = () => {
           process.on('SIGINT', () => console.log('interrupted'));
           console.log('started');
           return new Promise(() => undefined);
         };`,
      ),
      '--timeout',
      'Infinity',
    ]);
    const lost = text('fn').catch((error: unknown) => error);
    await bin.printed(/started/);
    bin.child.kill('SIGINT');
    await bin.printed(/interrupted/);
    bin.child.kill('SIGINT');
    expect((await bin.ended).code).toBe(130);
    expect(await lost).toBeInstanceOf(Error);
  });

  test.each([
    ['stdout', '| head -1'],
    ['stderr', '2> >(head -1 >/dev/null)'],
    ['both', '2>&1 | head -1'],
  ])('comes quietly when the reader of %s leaves', async (_name, pipe) => {
    const file = await write(
      'fn.mjs',
      `console.error('to stderr');
       setInterval(() => console.error('still here'), 20);
       setInterval(() => process.stdout.write('.'), 20);
       ${handler}`,
    );
    const line = `{ bin serve "$FILE" --port 0; echo "code $?" >&3; } 3>"$CODE" ${pipe}; wait`;
    const codeFile = join(folder(), 'code');
    const { stderr } = await runShell(line, { env: { FILE: file, CODE: codeFile } });
    expect(stderr).not.toMatch(/EPIPE|uncaught/);
    const { stdout } = await runShell('until [ -s "$CODE" ]; do sleep 0.05; done; cat "$CODE"', {
      env: { CODE: codeFile },
    });
    expect(stdout).toBe('code 0\n');
  });
});

describe('a top-level await that never settles', () => {
  test('is named at once where nothing is left to wait for', async () => {
    const file = await write('fn.mjs', `await new Promise(() => undefined);\n${handler}`);
    const { code, stderr } = await runBin(['serve', file]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${file}\nits top-level await never settles`)]);
  });

  test('is named after --init-timeout where something else holds the process', async () => {
    const file = await write('fn.mjs', `setInterval(() => undefined, 100);\nawait new Promise(() => undefined);`);
    const { code, stderr } = await runBin(['serve', file, '--init-timeout', '100']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('has not settled after 100 ms')]);
  });

  test('does not end reloading', async () => {
    const file = await write('fn.mjs', handler);
    const { bin, text } = await startServe([file, '--init-timeout', '300000']);
    await write('fn.mjs', 'console.log("hangs"); await new Promise(() => undefined);');
    await bin.printed(/hangs/);
    await write('fn.mjs', 'export const handler = async () => 2;');
    await bin.printed(/loaded fn\n/);
    expect(await text('fn')).toBe('2');
  });
});

describe('what nobody catches', () => {
  test('belongs to its invocation where it has one', async () => {
    const { bin, text } = await startServe([
      await write(
        'wild.mjs',
        `const never = () => new Promise(() => undefined);
         export const timer = () => { setTimeout(() => { throw new Error('in a timer'); }); return never(); };
         export const rejection = () => { Promise.reject(new Error('in a promise')); return never(); };
         export const exit = () => { process.exit(7); };
         export const good = async () => 2;`,
      ),
    ]);
    await expect(text('wild.timer')).rejects.toMatchObject({ errorMessage: 'in a timer' });
    await expect(text('wild.rejection')).rejects.toMatchObject({ errorMessage: 'Error: in a promise' });
    await expect(text('wild.exit')).rejects.toMatchObject({ errorType: 'Runtime.ExitError' });
    expect(await text('wild.good')).toBe('2');
    const told = await bin.complained(
      /uncaught: wild\.timer \(request [^]*unhandled-rejection: wild\.rejection [^]*exit: wild\.exit /,
    );
    expect(told).toMatch(/in a timer\n +at .*wild\.mjs:2/);
    expect(told).not.toContain('outside of an invocation');
  });

  test('without an invocation is reported, and the functions go on', async () => {
    const { bin, text } = await startServe([
      await write('stray.mjs', `setTimeout(() => { throw new Error('stray'); }, 10);\n${handler}`),
    ]);
    expect(await bin.complained(/stray\.mjs:1/)).toContain('uncaught outside of an invocation: Error: stray');
    expect(await text('stray')).toBe('1');
  });

  test('a process.exit of a handler file is told', async () => {
    const { code, stderr } = await runBin(['serve', await write('exits.mjs', 'process.exit(0);')]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('a handler file called process.exit(0)')]);
  });
});

test('control characters of names and errors do not reach the terminal', async () => {
  const { bin, text } = await startServe([
    await write('evil.mjs', `export const handler = async () => { throw new Error('\\u001b[2J\\nfake: ok'); };`),
  ]);
  await text('evil').catch((error: unknown) => error);
  await text('\u001b[31mx\n').catch((error: unknown) => error);
  const printed = await bin.printed(/fake: ok[^]*\n[^\n]*31mx[^\n]*\n/);
  expect(printed).not.toContain('\u001b');
  expect(printed).toMatch(/Error: \\u001b\[2J\\nfake: ok\n/);
});

test('a watcher that fails later is a warning too, and what else is watched is loaded again', async () => {
  const failsLater = `data:text/javascript,
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { watch } = fs;
    fs.watch = (folder, ...others) => {
      const watcher = watch(folder, ...others);
      if (folder.endsWith('lost')) setImmediate(() => watcher.emit('error', new Error('EPERM: the folder is gone')));
      return watcher;
    };
    syncBuiltinESMExports();`;
  const files = await Promise.all([write('lost/a.mjs', handler), write('kept/b.mjs', handler)]);
  const { bin, text } = await startServe(files, { nodeArgs: ['--import', failsLater] });
  const told = await bin.complained(/not watched: .*\n/);
  expect(told).toContain(`${join(folder(), 'lost')} (EPERM: the folder is gone); restart to load changes`);
  await write('kept/b.mjs', 'export const handler = async () => 2;');
  await bin.printed(/loaded a, b/);
  expect([await text('a'), await text('b')]).toEqual(['1', '2']);
});

test('a folder that cannot be watched is a warning', async () => {
  const noWatch = `data:text/javascript,
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    fs.watch = () => { throw new Error('ENOSPC: System limit for number of file watchers reached'); };
    syncBuiltinESMExports();`;
  const { bin, text } = await startServe([await write('fn.mjs', handler)], { nodeArgs: ['--import', noWatch] });
  expect(await bin.complained(/not watched: .*\n/)).toContain(`${folder()} (ENOSPC`);
  expect(await text('fn')).toBe('1');
});
