/** The pages of the tarball, and what the README has a newcomer paste into an empty folder. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalLambda } from 'rx-lambda-stream/local';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { readPage } from '../docs/markdown-page.js';
import { installPacked } from './packed.js';

let folder: string;
let packed: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rx-lambda-stream-'));
  packed = await installPacked(folder);
});
afterAll(() => rm(folder, { recursive: true }));

const installed = (path: string): string => join(folder, 'node_modules/rx-lambda-stream', path);

it('every link of every page leads to a file of the tarball', () => {
  const pages = packed.filter((path) => path.endsWith('.md'));
  expect(pages.length).toBeGreaterThan(25);
  for (const page of pages) {
    const dead = readPage(page).links.filter(({ path }) => !existsSync(installed(path)));
    expect(dead, page).toEqual([]);
  }
});

describe('the README, pasted into an empty folder', () => {
  const readme = readPage('README.md');
  const [install = '', serve = '', invoke = ''] = readme.blocks.flatMap(({ language, code }) =>
    language === 'sh' ? [code.trim()] : [],
  );
  const blockOf = (language: string): string =>
    readme.blocks.find((block) => block.language === language)?.code ?? 'There is none';

  it('installs the package and its peers', () => {
    expect(install).toBe('npm install rx-lambda-stream rxjs @aws-sdk/client-lambda');
    const { peerDependencies } = JSON.parse(readFileSync(installed('package.json'), 'utf8')) as {
      peerDependencies: Record<string, string>;
    };
    for (const peer of ['rxjs', '@aws-sdk/client-lambda']) expect(peerDependencies).toHaveProperty([peer]);
  });

  it('the quick start runs as it is', async () => {
    const local = await startLocalLambda({
      functions: {
        chat: async function* ({ prompt }: { prompt: string }) {
          yield await Promise.resolve(`You said ${prompt}`);
        },
      },
    });
    onTestFinished(() => local.close());
    await writeFile(join(folder, 'quick-start.ts'), blockOf('ts'));
    const child = start(process.execPath, ['quick-start.ts'], { AWS_ENDPOINT_URL_LAMBDA: local.endpoint });
    expect(await outputOf(child)).toBe('You said Hello\n(complete)\n');
  });

  it('serve runs the file, and the line that it prints invokes it', async () => {
    await writeFile(join(folder, 'hello.mjs'), blockOf('js'));
    expect(serve).toBe('npx rx-lambda-stream serve hello.mjs');
    const server = start('npx', [...serve.split(' ').slice(1), '--port', '0']);
    const line = await new Promise<string>((resolve, reject) => {
      let printed = '';
      server.stdout?.on('data', (data: Buffer) => {
        printed += data.toString();
        const [found] = /^npx rx-lambda-stream invoke .*$/m.exec(printed) ?? [];
        if (found !== undefined) resolve(found);
      });
      server.on('close', () => reject(new Error(`serve ended: ${printed}`)));
    });
    // As the page shows it, but for the port.
    expect(line.replace(/\d+$/, '3001')).toBe(invoke);
    expect(await outputOf(start('bash', ['-c', line]))).toBe('Hello from Lambda\n');
  });
});

/** A process of a newcomer's own, with the command of the package on its path. */
function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(command, args, {
    cwd: folder,
    // A group of its own, so that what npx starts ends with it.
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...{ AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' },
      ...env,
    },
  });
  const closed = new Promise((resolve) => child.on('close', resolve));
  onTestFinished(async () => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid);
    await closed;
  });
  return child;
}

async function outputOf(child: ChildProcess): Promise<string> {
  let output = '';
  child.stdout?.on('data', (data: Buffer) => (output += data.toString()));
  const status = await new Promise((resolve) => child.on('close', resolve));
  expect(status).toBe(0);
  return output;
}
