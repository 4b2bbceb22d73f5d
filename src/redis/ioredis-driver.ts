import { slotOf } from './slot-of.js';
import type { RedisDriver, RedisSubscriber, SubscriberHandlers } from './redis-client.js';

/** What the log uses of a `Redis` of `ioredis` 5.6 and 6. */
interface Client {
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
}

/** Drives a `Redis` or a `Cluster` of `ioredis` 5.6 or 6. */
export function ioredisDriver(given: object): RedisDriver {
  if (!('isCluster' in given && given.isCluster)) {
    const client = given as unknown as Client;
    return {
      isCluster: false,
      isClosed: () => client.status === 'end',
      send: (_key, command) => client.callBuffer(...command),
      primaryOf: () => 'server',
      openSubscriber: (_key, handlers) => Promise.resolve(subscriber(client, false, handlers)),
    };
  }
  const cluster = given as unknown as Cluster;
  const primaryOf = (key: string): string => {
    const address = cluster.slots[slotOf(key)]?.[0];
    if (address === undefined) throw new Error('CLUSTERDOWN Hash slot not served');
    return address;
  };
  return {
    isCluster: true,
    isClosed: () => cluster.status === 'end',
    send: (_key, command) => cluster.callBuffer(...command),
    primaryOf,
    openSubscriber: (key, handlers) => {
      const address = primaryOf(key);
      const node = cluster.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === address);
      if (!node) return Promise.reject(new Error('CLUSTERDOWN Hash slot not served'));
      return Promise.resolve(subscriber(node, true, handlers));
    },
  };
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
  const onMessage = (channel: Buffer, message: Buffer): void => handlers.onMessage(channel.toString(), message);
  client.on(isSharded ? 'smessageBuffer' : 'messageBuffer', onMessage);
  client.on('error', handlers.onCut);
  client.on('close', handlers.onCut);
  client.on('ready', handlers.onReady);
  client.on('moved', handlers.onGone);
  client.on('end', handlers.onGone);
  client.connect().catch(handlers.onCut);
  return {
    subscribe: (channel) => client[isSharded ? 'ssubscribe' : 'subscribe'](channel),
    unsubscribe: (channel) => client[isSharded ? 'sunsubscribe' : 'unsubscribe'](channel),
    close: () => client.disconnect(),
  };
}
