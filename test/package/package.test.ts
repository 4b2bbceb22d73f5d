import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entryPoints } from './entry-points.js';
import { installPacked, root, run } from './packed.js';

// Registering exports nothing.
const entries = entryPoints.map(({ name }) => name).filter((name) => !/\/(register|angular)$/.test(name));

/** An application's folder with the packed package installed, and its peers linked from this tree. */
let folder: string;
let packed: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rx-lambda-stream-'));
  packed = await installPacked(folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function runFile(name: string, code: string, ...flags: string[]): Promise<string> {
  await writeFile(join(folder, name), code);
  const { stdout } = await run(process.execPath, [...flags, name], { cwd: folder });
  return stdout.trim();
}

describe('the packed package', () => {
  it('holds the build, the documents, and nothing else', () => {
    const others = packed.filter((path) => !/^dist\/(local\/)?[^/]+\.(c?js|d\.c?ts|c?js\.map)$/.test(path));
    const pages = others.filter((path) => /^(?:docs|examples)\//.test(path));
    expect(pages).toContain('docs/troubleshooting.md');
    const linked = ['bench/RESULTS.md', 'bench/results.svg', 'test/examples/search-box.test.ts'];
    const bin = ['dist/cli/main.d.ts', 'dist/cli/main.js', 'dist/cli/main.js.map'];
    const top = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'];
    expect(others.filter((path) => !pages.includes(path)).sort()).toEqual([...top, ...linked, ...bin].sort());
    expect(
      pages.filter((path) => !/\.(?:md|svg|png|[cm]?[jt]sx?|json|html|css|conf)$|\.(?:npmrc|gitignore)$/.test(path)),
    ).toEqual([]);
  });

  it.each(entries)('loads %s as an ES module and as CommonJS, with the same names', async (entry) => {
    const esm = await runFile('a.mjs', `import * as all from '${entry}'; console.log(Object.keys(all).sort().join());`);
    const code = `console.log(Object.keys(require('${entry}')).sort().join());`;
    const cjs = await runFile('a.cjs', code);
    expect(esm).not.toBe('');
    expect(cjs).toBe(esm);
    // Lambda's own Node runtimes refuse to require an ES module.
    expect(await runFile('b.cjs', code, '--no-experimental-require-module')).toBe(esm);
  });

  it('loads rx-lambda-stream/angular as an ES module, which Angular is too, and without the SDK', async () => {
    const code = `import * as all from 'rx-lambda-stream/angular'; console.log(Object.keys(all).sort().join());`;
    const loader = `
      import { registerHooks } from 'node:module';
      registerHooks({ resolve(name, context, next) {
        if (name.startsWith('@aws-sdk/')) throw new Error(name + ' was loaded');
        return next(name, context);
      } });`;
    await writeFile(join(folder, 'hooks.mjs'), loader);
    expect(await runFile('angular.mjs', code, '--import', './hooks.mjs')).toBe(
      'injectLambdaStreams,provideLambdaStreams,streamResource',
    );
  });

  it('recognises errors across its ESM and CommonJS copies', async () => {
    const output = await runFile(
      'c.mjs',
      `import { createRequire } from 'node:module';
       import { isLambdaStreamError, ProtocolError } from 'rx-lambda-stream';
       const other = createRequire(import.meta.url)('rx-lambda-stream');
       const error = new other.ProtocolError('x');
       const same = other.isLambdaStreamError(new ProtocolError('x'));
       console.log(error instanceof ProtocolError, isLambdaStreamError(error), same);`,
    );
    expect(output).toBe('false true true');
  });

  it('streams from its own local endpoint', async () => {
    const output = await runFile(
      'd.cjs',
      `const { LambdaClient } = require('@aws-sdk/client-lambda');
       const { decodeText, invokeWithResponseStream } = require('rx-lambda-stream');
       const { startLocalLambda } = require('rx-lambda-stream/local');
       const hello = async function* () { yield 'hello '; yield 'world'; };
       startLocalLambda({ functions: { hello } }).then((local) => {
         const client = new LambdaClient(local.clientConfig);
         invokeWithResponseStream(client, { FunctionName: 'hello' }).pipe(decodeText()).subscribe({
           next: (text) => process.stdout.write(text),
           complete: () => { client.destroy(); void local.close(); },
         });
       });`,
    );
    expect(output).toBe('hello world');
  });
});

describe('the bin', () => {
  it('serves handler files and invokes them', async () => {
    await writeFile(
      join(folder, 'hello.mjs'),
      `export const handler = awslambda.streamifyResponse(async (event, stream) => {
         stream.write('hello ' + event);
         stream.end();
       });`,
    );
    const bin = join(folder, 'node_modules/rx-lambda-stream/dist/cli/main.js');
    const server = spawn(process.execPath, [bin, 'serve', 'hello.mjs', '--port', '0'], { cwd: folder });
    try {
      const endpoint = await new Promise<string>((resolve) => {
        let output = '';
        const listen = (data: Buffer): void => {
          output += data.toString();
          const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(output) ?? [];
          if (url !== undefined) resolve(url);
        };
        server.stdout.on('data', listen);
        server.stderr.on('data', listen);
      });
      const { stdout } = await run(process.execPath, [
        bin,
        'invoke',
        'hello',
        '--payload',
        '"bin"',
        '--endpoint',
        endpoint,
      ]);
      expect(stdout).toBe('hello bin');
    } finally {
      server.kill();
    }
  });
});

describe('a TypeScript consumer', () => {
  const consumer = `
    import { LambdaClient } from '@aws-sdk/client-lambda';
    import { decodeText, invokeWithResponseStream, type LambdaStreamEvent } from 'rx-lambda-stream';
    import { chunkEvent } from 'rx-lambda-stream/testing';
    import { startLocalLambda, type LocalLambda } from 'rx-lambda-stream/local';
    const client = new LambdaClient({});
    const events: LambdaStreamEvent[] = [chunkEvent('a')];
    invokeWithResponseStream(client, () => Promise.resolve({ FunctionName: 'f', Payload: { a: events.length } }))
      .pipe(decodeText())
      .subscribe((text: string) => console.log(text));
    export const local: Promise<LocalLambda> = startLocalLambda({ functions: {} });
  `;

  const nodeNext = { module: 'NodeNext' };
  const declarations = { ...nodeNext, skipLibCheck: false };

  it.each([
    ['NodeNext, as an ES module', 'consumer.mts', 'typescript', nodeNext],
    ['NodeNext, as CommonJS', 'consumer.cts', 'typescript', nodeNext],
    ['Node16, as CommonJS', 'consumer.cts', 'typescript', { module: 'Node16' }],
    ['Bundler', 'consumer.ts', 'typescript', { module: 'ESNext', moduleResolution: 'Bundler' }],
    [
      'node10',
      'consumer.ts',
      'typescript',
      { module: 'CommonJS', moduleResolution: 'Node10', ignoreDeprecations: '6.0' },
    ],
    ['all declarations checked', 'consumer.mts', 'typescript', declarations],
    ['TypeScript 5.7, all declarations checked', 'consumer.mts', 'typescript-5.7', declarations],
    ['TypeScript 5.7 and CommonJS, all declarations checked', 'consumer.cts', 'typescript-5.7', declarations],
    ['TypeScript 7.0, all declarations checked', 'consumer.mts', 'typescript-7', declarations],
  ])('compiles under %s', async (_how, file, compiler, options) => {
    await writeFile(join(folder, file), consumer);
    const compilerOptions = {
      target: 'ES2022',
      lib: ['ES2022', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
      types: ['node'],
      strict: true,
      skipLibCheck: true,
      noEmit: true,
      ...options,
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }));
    const { stdout } = await run(process.execPath, [join(root, 'node_modules', compiler, 'bin/tsc'), '-p', '.'], {
      cwd: folder,
    }).catch((failure: unknown) => failure as { stdout: string });
    expect(stdout).toBe('');
  });
});
