import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

test('register provides the global awslambda before the static imports that follow it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rx-lambda-stream-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const source = (file: string): string => fileURLToPath(new URL(`../../src/local/${file}`, import.meta.url));
  await writeFile(
    join(folder, 'chat.mjs'),
    `export const handler = awslambda.streamifyResponse(async (event, stream) => {
       stream.write('hi');
       stream.end();
     });`,
  );
  await writeFile(
    join(folder, 'main.mjs'),
    `import '${source('register.ts')}';
     import { handler } from './chat.mjs';
     import { startLocalLambda } from '${source('index.ts')}';
     const local = await startLocalLambda({ functions: { chat: handler }, functionUrls: true });
     console.log(await (await fetch(local.functionUrls.chat)).text(), Object.keys(awslambda).join());
     await local.close();`,
  );
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', join(folder, 'main.mjs')]);
  expect(stdout).toBe('hi streamifyResponse,HttpResponseStream\n');
});
