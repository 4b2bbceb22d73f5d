import { createClient, createCluster } from 'redis';
import { createClient as createClient5, createCluster as createCluster5 } from 'redis5';
import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5';
import type { RedisLogClient } from '../../src/redis/index.js';

/** A client that a test opened, and how to end it. */
export interface OpenClient {
  readonly client: RedisLogClient;
  readonly close: () => void;
}

const nodes = (ports: readonly number[]): { host: string; port: number }[] =>
  ports.map((port) => ({ host: '127.0.0.1', port }));

const ignore = (): void => undefined;

/** Opens a client to the one server at a port. */
export const singleClients = {
  'redis 6': async (port: number): Promise<OpenClient> => {
    const client = await createClient({ url: `redis://127.0.0.1:${port}` })
      .on('error', ignore)
      .connect();
    return { client, close: () => client.destroy() };
  },
  'redis 5': async (port: number): Promise<OpenClient> => {
    const client = createClient5({ url: `redis://127.0.0.1:${port}` }).on('error', ignore);
    await client.connect();
    return { client, close: () => client.destroy() };
  },
  'ioredis 6': (port: number): Promise<OpenClient> => {
    const client = new Redis(port, '127.0.0.1').on('error', ignore);
    return Promise.resolve({ client, close: () => client.disconnect() });
  },
  'ioredis 5.6': (port: number): Promise<OpenClient> => {
    const client = new Redis5(port, '127.0.0.1').on('error', ignore);
    return Promise.resolve({ client, close: () => client.disconnect() });
  },
};

/** Opens a client to the cluster of which some ports are known. */
export const clusterClients = {
  'redis 6 cluster': async (ports: readonly number[]): Promise<OpenClient> => {
    const cluster = createCluster({ rootNodes: nodes(ports).map((socket) => ({ socket })) }).on('error', ignore);
    await cluster.connect();
    return { client: cluster, close: () => cluster.destroy() };
  },
  'redis 5 cluster': async (ports: readonly number[]): Promise<OpenClient> => {
    const cluster = createCluster5({ rootNodes: nodes(ports).map((socket) => ({ socket })) }).on('error', ignore);
    await cluster.connect();
    return { client: cluster, close: () => cluster.destroy() };
  },
  'ioredis 6 cluster': async (ports: readonly number[]): Promise<OpenClient> => {
    const cluster = new Cluster(nodes(ports), { shardedSubscribers: true }).on('error', ignore);
    await new Promise<void>((resolve) => cluster.once('ready', resolve));
    return { client: cluster, close: () => cluster.disconnect() };
  },
  'ioredis 5.6 cluster': async (ports: readonly number[]): Promise<OpenClient> => {
    const cluster = new Cluster5(nodes(ports), { shardedSubscribers: true }).on('error', ignore);
    await new Promise<void>((resolve) => cluster.once('ready', resolve));
    return { client: cluster, close: () => cluster.disconnect() };
  },
};

/** A client, and with it whether the servers are a cluster. */
export type ClientName = keyof typeof singleClients | keyof typeof clusterClients;

/** Opens a client of this name to one server, or to a cluster of which some ports are known. */
export function openClientTo(name: ClientName, ports: readonly number[]): Promise<OpenClient> {
  return name in clusterClients
    ? clusterClients[name as keyof typeof clusterClients](ports)
    : singleClients[name as keyof typeof singleClients](ports[0] as number);
}
