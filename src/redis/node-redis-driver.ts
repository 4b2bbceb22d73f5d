import type {
  MessageListener,
  RedisCommand,
  RedisDriver,
  RedisSubscriber,
  SubscriberHandlers,
} from './redis-client.js';
import { createDriver, type Primary } from './redis-driver.js';

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
  subscribe(channel: string, listener: MessageListener, bufferMode: true): Promise<void>;
  unsubscribe(channel: string, listener: MessageListener, bufferMode: true): Promise<void>;
  sSubscribe(channel: string, listener: MessageListener, bufferMode: true): Promise<void>;
  sUnsubscribe(channel: string, listener: MessageListener, bufferMode: true): Promise<void>;
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
  const client = given as Client | Cluster;
  const isClosed = (): boolean => !client.isOpen;
  if ('nodeClient' in client) {
    return createDriver<Client>({
      isClosed,
      send: (key, command) => client.sendCommand(key, false, command, bytesAsBuffers),
      server: (slot) => primaryOf(client, slot),
      subscriber,
    });
  }
  return createDriver<Client>({
    isClosed,
    send: (_key, command) => client.sendCommand(command, bytesAsBuffers),
    server: client,
    subscriber,
  });
}

function primaryOf(cluster: Cluster, slot: number): Primary<Client> | undefined {
  const node = cluster.slots[slot]?.master;
  return node && { address: node.address, client: () => cluster.nodeClient(node) };
}

function subscriber(original: Client, isSharded: boolean, handlers: SubscriberHandlers): RedisSubscriber {
  const client = original.duplicate({ commandOptions: {}, clientSideCache: undefined, disableOfflineQueue: false });
  // Without a listener of its own, the first cut of this connection would be an uncaught exception.
  client.on('error', handlers.onCut);
  client.on('reconnecting', handlers.onCut);
  client.on('ready', handlers.onReady);
  client.on('end', handlers.onGone);
  client.on('sharded-channel-moved', handlers.onMoved);
  client.on('__MOVED', handlers.onMoved);
  client.connect().catch(handlers.onGone);
  return {
    subscribe: (channel, listener) => client[isSharded ? 'sSubscribe' : 'subscribe'](channel, listener, true),
    unsubscribe: (channel, listener) => client[isSharded ? 'sUnsubscribe' : 'unsubscribe'](channel, listener, true),
    close: () => {
      if (client.isOpen) client.destroy();
    },
  };
}
