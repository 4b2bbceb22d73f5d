/** `npm run demo` on a terminal, as a newcomer runs it, and the page that it opens in Chromium. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { expect, onTestFinished, test } from 'vitest';
import { chromiumLaunchOptions } from '../support/chromium.js';
import { printed } from '../support/printed.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Runs a command on a terminal of its own, by `script` of util-linux. Both of its outputs go to stdout. */
function onTerminal(command: string, env: NodeJS.ProcessEnv = {}): ReturnType<typeof spawnTerminal> {
  const child = spawnTerminal(command, env);
  const closed = new Promise((resolve) => child.on('close', resolve));
  onTestFinished(async () => {
    // Ctrl-C, as a user ends it: the terminal tells each process of the group.
    if (child.exitCode === null) child.stdin.write('\u0003');
    await closed;
  });
  return child;
}

function spawnTerminal(command: string, env: NodeJS.ProcessEnv) {
  return spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: root,
    env: { ...process.env, ...env, TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

test('npm run demo clears the screen, warns of nothing, and shows six things in under ten seconds', async () => {
  const child = onTerminal('npm run demo');
  let output = '';
  let begun = 0;
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
    if (begun === 0 && output.includes('1. ')) begun = performance.now();
  });
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
  // From the first line on: how long a process takes to start is the machine's.
  expect(performance.now() - begun).toBeLessThan(10_000);
  const [before = '', screen = ''] = output.replaceAll('\r\n', '\n').split('\u001b[1;1H\u001b[0J');
  expect(before).not.toMatch(/warn|deprecat/i);
  // Behind the last line, npm takes its own cursor away.
  const lines = screen.slice(0, screen.lastIndexOf('\n') + 1);
  expect(lines.replaceAll(/\d+(?:\.\d+)? ms/g, 'N ms').replaceAll(/(?:tick \d+ {2})+/g, 'ticks ')).toBe(
    [
      '1. Text, as it is written:',
      '   An Observable is lazy 💤, pushes values over time ⏳, ' +
        'and stops when you unsubscribe ✋. You see each word while the handler is still writing.',
      '',
      '2. NDJSON, one line a record:',
      '   █░░░░░ step 1 of 6',
      '   ██░░░░ step 2 of 6',
      '   ███░░░ step 3 of 6',
      '   ████░░ step 4 of 6',
      '   █████░ step 5 of 6',
      '   ██████ step 6 of 6',
      '',
      '3. A connection that is cut, which the SDK’s loop may not tell:',
      '   half of the ans … TruncatedStreamError after 15 bytes',
      '',
      '4. A throttled call, tried again by the type of its exception:',
      '   TooManyRequestsException, again in N ms …',
      '   and here is the answer.',
      '',
      '5. Two consumers of one invocation:',
      '   one counted 6 records, the other 107 bytes, of 1 request',
      '',
      '6. An endless stream, left after N ms:',
      '   ticks ',
      '   The server saw the connection close after N ms.',
      '',
    ].join('\n'),
  );
});

test('npm run demo -- --relay opens its page in the browser, and Ctrl-C ends it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rx-lambda-stream-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  // In the place of the command that opens pages: writes down which one.
  writeFileSync(
    join(folder, 'xdg-open'),
    `#!/bin/sh\necho "$1" > ${folder}/opening && mv ${folder}/opening ${folder}/opened\n`,
  );
  chmodSync(join(folder, 'xdg-open'), 0o755);
  const env = { PATH: `${folder}${delimiter}${String(process.env['PATH'])}`, PORT: '0' };
  const child = onTerminal('npm run demo -- --relay', env);
  const [, url = ''] = await printed(child, /Listening on (http:\S+)/);
  await expect.poll(() => readOrNothing(join(folder, 'opened')), { timeout: 10_000 }).toBe(`${url}\n`);
  const browser = await chromium.launch(chromiumLaunchOptions);
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  await page.goto(url);
  await page.waitForFunction(() => document.querySelector('pre')?.textContent.includes('today, line 2\n'));
});

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
