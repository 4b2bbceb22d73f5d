/** The servers of examples/function-url-table. Its page is tested in Chromium, by test/browser. */
import { spawn } from 'node:child_process';
import { parseNdjson } from 'rx-lambda-stream';
import { fetchResponseStream } from 'rx-lambda-stream/http';
import { expect, onTestFinished, test } from 'vitest';
import { outcomeOf } from '../support/collect.js';

test('main.ts serves a page, its script, and the function under a URL that the page may call', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/function-url-table/main.ts']);
  onTestFinished(() => void child.kill());
  const printed = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (data: Buffer) => resolve(data.toString().trim()));
    child.stderr.once('data', (data: Buffer) => reject(new Error(data.toString())));
  });
  const html = await (await fetch(printed)).text();
  const script = await (await fetch(new URL('/page.js', printed))).text();
  expect(script).toContain('fetchResponseStream');
  expect(script).not.toContain('InvokeWithResponseStreamCommand(');
  const [, functionUrl = ''] = /data-function-url="([^"]+)"/.exec(html) ?? [];
  const request = new Request(`${functionUrl}?count=3`, { headers: { origin: new URL(printed).origin } });
  const { values } = await outcomeOf(fetchResponseStream(request).pipe(parseNdjson<{ id: number }>()));
  expect(values.map(({ id }) => id)).toEqual([1, 2, 3]);
});
