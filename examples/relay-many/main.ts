// npx tsx examples/relay-many/main.ts: a Redis, two nodes, and a proxy that takes them in turn. Open the page that it
// names, and press "k" and Enter to kill the node that reads from Lambda: the text goes on at the other one.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request as forward } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as slowly } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startLocalLambda } from 'rx-lambda-stream/local';

const local = await startLocalLambda({
  functions: {
    report: async function* ({ id }: { id: string }) {
      for (let line = 1; line <= 100; line++) yield await slowly(100, `${id}, line ${line}\n`);
    },
  },
});

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const redisPort = await freePort();
const redis = spawn('redis-server', [
  '--port',
  String(redisPort),
  '--bind',
  '127.0.0.1',
  '--save',
  '',
  '--appendonly',
  'no',
]);
await once(redis.stdout, 'data');

interface Node {
  readonly process: ChildProcess;
  readonly port: number;
}

async function startNode(): Promise<Node> {
  const script = fileURLToPath(new URL('node.ts', import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, '--import', 'tsx', script], {
    env: { ...process.env, REDIS_PORT: String(redisPort), LAMBDA_ENDPOINT: local.endpoint },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { process: child, port: Number(line.toString()) };
}

const nodes = await Promise.all([startNode(), startNode()]);
const page = readFileSync(new URL('../relay/page.html', import.meta.url));
let turn = 0;

const proxy = createServer((request, response) => {
  if (request.url === '/') {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
    return;
  }
  const alive = nodes.filter(({ process: child }) => child.exitCode === null && child.signalCode === null);
  const { port } = alive[turn++ % alive.length] as Node;
  const { method, url: path, headers } = request;
  const upstream = forward({ port, host: '127.0.0.1', method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    answer.on('error', () => response.destroy());
  });
  upstream.on('error', () => response.destroy());
  response.on('close', () => upstream.destroy());
  request.pipe(upstream);
});
proxy.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`Listening on http://127.0.0.1:${(proxy.address() as AddressInfo).port}/#today`);
});

createInterface(process.stdin).on('line', (line) => {
  if (line === 'k') nodes[0].process.kill('SIGKILL');
});
process.on('exit', () => {
  for (const { process: child } of nodes) child.kill();
  redis.kill();
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit());
