/** The pages of the tarball, and what the README has a newcomer paste into an empty folder. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scripted, startLocalLambda } from 'rx-lambda-stream/local';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { read, readPage } from '../docs/markdown-page.js';
import { installPacked, root } from './packed.js';

let folder: string;
let packed: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rx-lambda-stream-'));
  packed = await installPacked(folder);
});
afterAll(() => rm(folder, { recursive: true }));

const installed = (path: string): string => join(folder, 'node_modules/rx-lambda-stream', path);

it('every link of every page leads to a file of the tarball, and to a heading that is there', () => {
  const pages = packed.filter((path) => path.endsWith('.md'));
  expect(pages.length).toBeGreaterThan(25);
  for (const page of pages) {
    const dead = readPage(page).links.filter(({ path }) => !existsSync(installed(path)));
    expect(dead, page).toEqual([]);
    const lost = readPage(page).links.filter(
      ({ path, anchor }) => anchor !== undefined && !readPage(path).anchors.includes(anchor),
    );
    expect(lost, page).toEqual([]);
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

  /** Runs the page's function as the page says, and returns what `serve` prints. */
  async function startServe(): Promise<string> {
    await writeFile(join(folder, 'hello.mjs'), blockOf('js'));
    expect(serve).toBe('npx rx-lambda-stream serve hello.mjs');
    const server = start('npx', [...serve.split(' ').slice(1), '--port', '0']);
    return new Promise((resolve, reject) => {
      let printed = '';
      server.stdout?.on('data', (data: Buffer) => {
        printed += data.toString();
        if (/^new LambdaClient\([^;]*\);$/m.test(printed)) resolve(printed);
      });
      server.on('close', () => reject(new Error(`serve ended: ${printed}`)));
    });
  }

  it('serve runs the file, and the line that it prints invokes it', async () => {
    const [line = ''] = /^npx rx-lambda-stream invoke .*$/m.exec(await startServe()) ?? [];
    // As the page shows it, but for the port.
    expect(line.replace(/\d+$/, '3001')).toBe(invoke);
    expect(await outputOf(start('bash', ['-c', line]))).toBe('Hello from Lambda\n');
  });

  it('the quick start runs as it is, with the client that serve prints', async () => {
    const [client = ''] = /^new LambdaClient\([^;]*\)/m.exec(await startServe()) ?? [];
    // `npm init` makes a package of CommonJS: the file's name says what it is.
    await writeFile(join(folder, 'package.json'), '{ "name": "newcomer", "type": "commonjs" }');
    const [name = ''] = /quick-start\.\w+/.exec(read('README.md')) ?? [];
    await writeFile(join(folder, name), blockOf('ts').replace('new LambdaClient({})', client));
    const child = start(process.execPath, [name], { AWS_REGION: undefined, AWS_ACCESS_KEY_ID: undefined });
    expect(await outputOf(child)).toBe('Hello Ada\n(complete)\n');
  });

  it('Ctrl-C closes the connection of the quick start', async () => {
    const local = await startLocalLambda({ functions: { hello: scripted([{ chunk: 'tick' }, 'stall']) } });
    onTestFinished(() => local.close());
    await writeFile(join(folder, 'quick-start.mts'), blockOf('ts'));
    const child = start(process.execPath, ['quick-start.mts'], { AWS_ENDPOINT_URL_LAMBDA: local.endpoint });
    child.stdout?.once('data', () => child.kill('SIGINT'));
    expect(await outputOf(child)).toBe('tick');
    expect(await local.requests[0]?.closedEarly).toBe(true);
  });
});

describe('the guide for TypeScript, pasted into an empty folder', () => {
  const guide = readPage('docs/getting-started.md');
  const config = guide.blocks.find(({ language, code }) => language === 'json' && code.includes('compilerOptions'));

  it.each(['typescript', 'typescript-7'])('checks the quick start and all declarations with %s', async (compiler) => {
    await writeFile(
      join(folder, 'quick-start.mts'),
      guide.blocks.find(({ language }) => language === 'ts')?.code ?? '',
    );
    const { compilerOptions } = JSON.parse(config?.code ?? '{}') as { compilerOptions: object };
    // The folder also holds the other tests' files.
    const files = ['quick-start.mts'];
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const child = start(process.execPath, [join(root, 'node_modules', compiler, 'bin/tsc'), '-p', '.']);
    expect(await outputOf(child)).toBe('');
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
