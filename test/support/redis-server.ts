import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A real redis-server on a free port of its own, without any file that outlives it. */
export interface RedisServer {
  readonly port: number;
  /** Runs one command through redis-cli, which connects for this command only. */
  cli(...command: string[]): Promise<string>;
  /** Stops the process where it stands (SIGSTOP): connections stay open, nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Kills the process, so that all data is lost, and starts an empty one on the same port. */
  restart(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
  /** The CPU seconds that the process has used so far. */
  cpuSeconds(): Promise<number>;
}

const living = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** Starts a redis-server with further arguments, such as `['--maxmemory', '20mb']`. */
export async function startRedisServer(args: readonly string[] = []): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'rx-lambda-stream-redis-'));
  for (let attempt = 0; ; attempt += 1) {
    const [port, busPort] = await freePorts();
    const all = [...args, ...(args.includes('--cluster-enabled') ? ['--cluster-port', String(busPort)] : [])];
    try {
      return serve(await launch(port, folder, all), port, folder, all);
    } catch (error) {
      // Another process may have taken the port in between.
      if (attempt === 4) throw error;
    }
  }
}

/** Starts a replica of a server, and waits until it has its data. */
export async function startReplicaOf(primary: RedisServer): Promise<RedisServer> {
  const replica = await startRedisServer(['--replicaof', `127.0.0.1 ${primary.port}`]);
  await until(() => isReplicating(replica));
  return replica;
}

/** Cuts the replicas of a server off, for good: they lack what is written from now on. */
export async function stopReplication(primary: RedisServer): Promise<void> {
  await primary.cli('ACL', 'SETUSER', 'default', '-psync', '-sync', '-replconf');
  await primary.cli('CLIENT', 'KILL', 'TYPE', 'replica');
}

/**
 * Waits until a replica has all that its primary has written so far. A link that is up says less: the primary holds its
 * writes back until the replica has acknowledged the first data, which takes up to a second.
 */
export async function untilReplicated(primary: RedisServer, replica: RedisServer): Promise<void> {
  const offset = async (server: RedisServer, name: string): Promise<number> =>
    Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(await server.cli('INFO', 'replication'))?.[1]);
  const written = await offset(primary, 'master_repl_offset');
  await until(async () => (await offset(replica, 'slave_repl_offset')) >= written);
}

const isReplicating = async (replica: RedisServer): Promise<boolean> =>
  (await replica.cli('INFO', 'replication')).includes('master_link_status:up');

/** A cluster of primaries that share the slots; by default three. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  readonly ports: readonly number[];
  /** Adds a replica of one of the primaries, and waits until it has its data and is known to all. */
  addReplica(primary: RedisServer): Promise<RedisServer>;
  stop(): Promise<void>;
}

const clusterArgs = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'];

export async function startRedisCluster(primaries = 3): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: primaries }, () => startRedisServer(clusterArgs)));
  const [first] = nodes as [RedisServer];
  const busPort = (await first.cli('CONFIG', 'GET', 'cluster-port')).split('\n')[1]!.trim();
  await Promise.all(
    nodes.map(async (node, index) => {
      const [from, to] = [Math.floor((index * 16384) / primaries), Math.floor(((index + 1) * 16384) / primaries) - 1];
      await node.cli('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
      await node.cli('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to));
      if (node !== first) await meet(node, first, busPort);
    }),
  );
  for (const node of nodes) {
    await until(async () => {
      const info = await node.cli('CLUSTER', 'INFO');
      return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${primaries}`);
    });
  }
  const replicas: RedisServer[] = [];
  return {
    nodes,
    ports: nodes.map(({ port }) => port),
    addReplica: async (primary) => {
      const replica = await startRedisServer(clusterArgs);
      replicas.push(replica);
      await meet(replica, first, busPort);
      const primaryId = await primary.cli('CLUSTER', 'MYID');
      await until(async () => (await replica.cli('CLUSTER', 'REPLICATE', primaryId)) === 'OK');
      await until(() => isReplicating(replica));
      const replicaId = await replica.cli('CLUSTER', 'MYID');
      for (const node of nodes) {
        await until(async () => (await node.cli('CLUSTER', 'REPLICAS', primaryId)).includes(replicaId));
      }
      return replica;
    },
    stop: async () => {
      await Promise.all([...nodes, ...replicas].map((node) => node.stop()));
    },
  };
}

/** Introduces a node to another one. On a busy machine a handshake may take longer than Redis waits for it. */
async function meet(node: RedisServer, other: RedisServer, busPort: string): Promise<void> {
  const ids = await Promise.all([node, other].map((each) => each.cli('CLUSTER', 'MYID')));
  const isKnown = async (each: RedisServer): Promise<boolean> => {
    const known = await each.cli('CLUSTER', 'NODES');
    return !known.includes('handshake') && ids.every((id) => known.includes(id));
  };
  for (let looks = 0; !((await isKnown(node)) && (await isKnown(other))); looks += 1) {
    if (looks % 100 === 0) await node.cli('CLUSTER', 'MEET', '127.0.0.1', String(other.port), busPort);
    await pause(20);
  }
}

/** Asks again every 20 ms until the answer is yes; the test's own time-out is the limit. */
export async function until(isTrue: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isTrue())) await pause(20);
}

function serve(launched: ChildProcess, port: number, folder: string, args: readonly string[]): RedisServer {
  let child = launched;
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  return {
    port,
    cli: async (...command) => (await run('redis-cli', ['-p', String(port), ...command])).stdout.trim(),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    kill,
    restart: async () => {
      await kill();
      child = await launch(port, folder, args);
    },
    stop: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
    cpuSeconds: async () => {
      const { stdout } = await run('redis-cli', ['-p', String(port), 'INFO', 'cpu']);
      const seconds = (name: string): number => Number(new RegExp(`${name}:([\\d.]+)`).exec(stdout)?.[1]);
      return seconds('used_cpu_sys') + seconds('used_cpu_user');
    },
  };
}

async function launch(port: number, folder: string, args: readonly string[]): Promise<ChildProcess> {
  const basic = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  // A replica gets its data at once, and not after the five seconds in which others might come.
  const quick = ['--repl-diskless-sync-delay', '0'];
  const child = spawn('redis-server', [...basic, ...quick, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  living.add(child);
  child.once('exit', () => living.delete(child));
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => {
      reject(new Error(`redis-server did not start: ${output}`));
    });
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
      if (output.includes('Ready to accept connections')) resolve();
    });
  });
  return child;
}

/** Two ports that are free now. The second is for the cluster bus. */
async function freePorts(): Promise<[number, number]> {
  const servers = await Promise.all(
    [0, 1].map(async () => {
      const server = createServer();
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports as [number, number];
}
