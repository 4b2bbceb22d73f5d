// npx tsx examples/relay-many/main.ts: a Redis, and two nodes behind one port. Open http://127.0.0.1:3000/#today, and
// kill one of the two processes that are named: the text goes on at the other one. Needs a redis-server in the PATH.
import { spawn } from 'node:child_process';
import cluster from 'node:cluster';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as slowly } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startLocalLambda } from 'rx-lambda-stream/local';

// In AWS's place. The nodes find it by their environment.
const local = await startLocalLambda({
  functions: {
    report: async function* ({ id }: { id: string }) {
      for (let line = 1; line <= 100; line++) yield await slowly(100, `${id}, line ${line}\n`);
    },
  },
});
const socket = join(tmpdir(), `relay-many-${process.pid}`);
const redis = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no']);
process.once('SIGTERM', () => process.exit()).once('exit', () => redis.kill());
for await (const line of redis.stdout) if (/ready to accept/i.test(String(line))) break;

cluster.setupPrimary({ exec: fileURLToPath(new URL('node.ts', import.meta.url)) });
for (let node = 1; node <= 2; node++) {
  cluster.fork({
    REDIS_URL: `unix://${socket}`,
    AWS_ENDPOINT_URL_LAMBDA: local.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
}
