import type {
  MessageListener,
  RedisCommand,
  RedisDriver,
  RedisSubscriber,
  SubscriberHandlers,
} from './redis-client.js';
import { createDriver, type Primary } from './redis-driver.js';

/** What the log uses of a `Redis` of `ioredis` 5.6 and 6. */
interface Client {
  readonly isCluster?: false;
  readonly status: string;
  readonly options: { readonly host?: string; readonly port?: number };
  callBuffer(...command: (string | Buffer)[]): Promise<unknown>;
  duplicate(overrides: object): Client;
  connect(): Promise<unknown>;
  disconnect(): void;
  on(event: string, listener: (channel: Buffer, message: Buffer) => void): unknown;
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  ssubscribe(channel: string): Promise<unknown>;
  sunsubscribe(channel: string): Promise<unknown>;
}

interface Cluster extends Pick<Client, 'callBuffer' | 'status'> {
  readonly isCluster: true;
  /** By slot, the addresses `host:port` of its nodes. The primary is first. */
  readonly slots: readonly (readonly string[] | undefined)[];
  nodes(role: 'master'): Client[];
  on(event: 'node error', listener: (error: unknown) => void): unknown;
  off(event: 'node error', listener: (error: unknown) => void): unknown;
}

/** Drives a `Redis` or a `Cluster` of `ioredis` 5.6 or 6. */
export function ioredisDriver(given: object): RedisDriver {
  const client = given as Client | Cluster;
  return createDriver<Client>({
    isClosed: () => client.status === 'end',
    send: client.isCluster ? clusterSender(client) : (_key, command) => client.callBuffer(...command),
    server: client.isCluster ? (slot) => primaryOf(client, slot) : client,
    subscriber,
  });
}

/**
 * Sends commands. A cluster that has never been ready keeps them to itself, and says only by an event that its nodes
 * refuse the credentials: such a command fails at once.
 */
function clusterSender(cluster: Cluster): (key: string, command: RedisCommand) => Promise<unknown> {
  let wasReady = false;
  return (_key, command) => {
    wasReady ||= cluster.status === 'ready';
    if (wasReady) return cluster.callBuffer(...command);
    return new Promise((resolve, reject) => {
      const onNodeError = (error: unknown): void => {
        if (error instanceof Error && /^(NOAUTH|WRONGPASS)/.test(error.message)) reject(error);
      };
      cluster.on('node error', onNodeError);
      cluster
        .callBuffer(...command)
        .then(resolve, reject)
        .finally(() => cluster.off('node error', onNodeError));
    });
  };
}

function primaryOf(cluster: Cluster, slot: number): Primary<Client> | undefined {
  const address = cluster.slots[slot]?.[0];
  if (address === undefined) return undefined;
  const client = (): Client | undefined =>
    cluster.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === address);
  return { address, client };
}

/**
 * Opens a connection of the log's own, in a cluster too. The sharded subscribers of `ioredis` 5.6 would subscribe again
 * to all channels of a node with one command, which the server refuses for channels of several slots.
 */
function subscriber(original: Client, isSharded: boolean, handlers: SubscriberHandlers): RedisSubscriber {
  const client = original.duplicate({
    autoResubscribe: false,
    enableOfflineQueue: true,
    lazyConnect: true,
    maxRetriesPerRequest: null,
    readOnly: false,
    retryStrategy: (attempt: number) => Math.min(50 * 2 ** attempt, 1_000),
  });
  const listeners = new Map<string, MessageListener>();
  client.on(isSharded ? 'smessageBuffer' : 'messageBuffer', (channel, message) =>
    listeners.get(channel.toString())?.(message),
  );
  client.on('error', () => {
    // While the connection stands, it is a reply that no command has asked for: a slot has moved, and the server has
    // ended the subscriptions to its channels. 5.6 takes that message for the reply to the next command.
    if (client.status === 'ready') handlers.onMoved();
  });
  client.on('close', handlers.onCut);
  client.on('ready', handlers.onReady);
  client.on('moved', handlers.onMoved);
  client.on('end', handlers.onGone);
  client.connect().catch(handlers.onCut);
  return {
    subscribe(channel, listener) {
      listeners.set(channel, listener);
      return client[isSharded ? 'ssubscribe' : 'subscribe'](channel);
    },
    unsubscribe(channel) {
      listeners.delete(channel);
      return client[isSharded ? 'sunsubscribe' : 'unsubscribe'](channel);
    },
    close: () => client.disconnect(),
  };
}
