import { slotOf } from './slot-of.js';
import type { RedisCommand, RedisDriver, RedisSubscriber, SubscriberHandlers } from './redis-client.js';

type Listener = (message: Buffer, channel: Buffer) => void;

interface CommandOptions {
  readonly typeMapping: Readonly<Record<number, unknown>>;
  readonly timeout: undefined;
}

/** What the log uses of a client of `redis` 5 and 6. */
interface Client {
  readonly isOpen: boolean;
  sendCommand(command: RedisCommand, options: CommandOptions): Promise<unknown>;
  duplicate(overrides: object): Client;
  connect(): Promise<unknown>;
  destroy(): void;
  on(event: string, listener: () => void): unknown;
  subscribe(channel: string, listener: Listener, bufferMode: true): Promise<void>;
  unsubscribe(channel: string, listener: Listener, bufferMode: true): Promise<void>;
  sSubscribe(channel: string, listener: Listener, bufferMode: true): Promise<void>;
  sUnsubscribe(channel: string, listener: Listener, bufferMode: true): Promise<void>;
}

interface ClusterNode {
  readonly address: string;
}

interface Cluster {
  readonly isOpen: boolean;
  readonly slots: readonly ({ readonly master: ClusterNode } | undefined)[];
  sendCommand(key: string, isReadonly: boolean, command: RedisCommand, options: CommandOptions): Promise<unknown>;
  nodeClient(node: ClusterNode): Promise<Client>;
}

/**
 * `36` is RESP's bulk string, as the client numbers it. The client's own mapping would change the replies, and its own
 * time-out costs a timer for each command: the log watches its calls itself.
 */
const bytesAsBuffers: CommandOptions = { typeMapping: { 36: Buffer }, timeout: undefined };

/** Drives a client or a cluster of `redis` 5 or 6. */
export function nodeRedisDriver(given: object): RedisDriver {
  if (!('nodeClient' in given)) {
    const client = given as unknown as Client;
    return {
      isCluster: false,
      isClosed: () => !client.isOpen,
      send: (_key, command) => client.sendCommand(command, bytesAsBuffers),
      primaryOf: () => 'server',
      openSubscriber: (_key, handlers) => Promise.resolve(subscriber(client, false, handlers)),
    };
  }
  const cluster = given as unknown as Cluster;
  const primaryOf = (key: string): ClusterNode => {
    const node = cluster.slots[slotOf(key)]?.master;
    if (!node) throw new Error('CLUSTERDOWN Hash slot not served');
    return node;
  };
  return {
    isCluster: true,
    isClosed: () => !cluster.isOpen,
    send: (key, command) => cluster.sendCommand(key, false, command, bytesAsBuffers),
    primaryOf: (key) => primaryOf(key).address,
    openSubscriber: async (key, handlers) => subscriber(await cluster.nodeClient(primaryOf(key)), true, handlers),
  };
}

function subscriber(original: Client, isSharded: boolean, handlers: SubscriberHandlers): RedisSubscriber {
  const client = original.duplicate({ commandOptions: {}, clientSideCache: undefined, disableOfflineQueue: false });
  const onMessage: Listener = (message, channel) => handlers.onMessage(channel.toString(), message);
  // Without a listener of its own, the first cut of this connection would be an uncaught exception.
  client.on('error', handlers.onCut);
  client.on('reconnecting', handlers.onCut);
  client.on('ready', handlers.onReady);
  client.on('end', handlers.onGone);
  client.on('sharded-channel-moved', handlers.onGone);
  client.on('__MOVED', handlers.onGone);
  client.connect().catch(handlers.onGone);
  return {
    subscribe: (channel) => client[isSharded ? 'sSubscribe' : 'subscribe'](channel, onMessage, true),
    unsubscribe: (channel) => client[isSharded ? 'sUnsubscribe' : 'unsubscribe'](channel, onMessage, true),
    close: () => {
      if (client.isOpen) client.destroy();
    },
  };
}
