/**
 * Three processes share one invocation over Redis. A key press kills the one that reads the function's response, and
 * another takes over: `npx tsx examples/many-machines/main.ts`. Needs a redis-server in the PATH.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startLocalLambda } from 'rx-lambda-stream/local';
import type { MachineReport } from './machine.js';

const words = 'Three machines tell one story, and whoever leaves, the others go on at its very next byte.'.split(' ');

/** Where there is no terminal, the producer is killed by itself after a few words. */
const isTerminal = process.stdin.isTTY;

const local = await startLocalLambda({
  functions: {
    story: async function* () {
      for (const word of words) {
        yield `${word} `;
        await pause(300);
      }
    },
  },
});
const redis = await startRedis();
const machines = ['A', 'B', 'C'].map((name) => startMachine(name));

if (isTerminal) {
  console.log('Press a key to kill the machine that reads the response; Ctrl+C to end.\n');
  process.stdin.setRawMode(true).on('data', (key) => {
    if (key[0] === 3) process.exit();
    killProducer();
  });
}
process.once('exit', () => {
  for (const { child } of machines) child.kill('SIGKILL');
  redis.process.kill();
});

await Promise.all(machines.map(({ child }) => once(child, 'exit')));
console.log(`\nThe function was invoked ${local.requests.length} times.`);
for (const { name, text, isKilled } of machines) console.log(`${name}${isKilled ? ' (killed)' : ''}: ${text}`);
process.exit();

interface Machine {
  readonly name: string;
  readonly child: ChildProcess;
  text: string;
  isProducer: boolean;
  isKilled: boolean;
}

function startMachine(name: string): Machine {
  const child = fork(fileURLToPath(new URL('./machine.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, REDIS_URL: `redis://127.0.0.1:${redis.port}`, LAMBDA_ENDPOINT: local.endpoint },
  });
  const machine: Machine = { name, child, text: '', isProducer: false, isKilled: false };
  child.on('message', (report: MachineReport) => {
    switch (report.type) {
      case 'invokes':
        machine.isProducer = true;
        console.log(`${name} invokes the function`);
        break;
      case 'retry':
        console.log(`${name} is told: retry, mode '${report.mode}'`);
        break;
      case 'text':
        machine.text += report.text;
        console.log(`${name} ${report.text}`);
        if (!isTerminal && machine.isProducer && local.requests.length === 1 && machine.text.length > 25)
          killProducer();
        break;
      case 'failed':
        console.log(`${name} failed: ${report.message}`);
        break;
      case 'ended':
        console.log(`${name} has the whole story`);
    }
  });
  return machine;
}

function killProducer(): void {
  const producer = machines.find(({ isProducer, isKilled }) => isProducer && !isKilled);
  if (!producer || machines.filter(({ isKilled }) => !isKilled).length === 1) return;
  producer.isKilled = true;
  producer.child.kill('SIGKILL');
  console.log(`${producer.name} is killed`);
}

async function startRedis(): Promise<{ port: number; process: ChildProcess }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of child.stdout) if (String(line).includes('Ready to accept connections')) break;
  return { port, process: child };
}
