import type { RedisCommand, RedisDriver, RedisSubscriber, SubscriberHandlers } from './redis-client.js';
import { slotOf } from './slot-of.js';

/** A primary of a cluster. */
export interface Primary<Client> {
  readonly address: string;
  readonly client: () => Client | undefined | Promise<Client>;
}

/** The operations that each client library does in its own way. */
export interface ClientAdapter<Client> {
  readonly isClosed: () => boolean;
  readonly send: (key: string, command: RedisCommand) => Promise<unknown>;
  /** Returns the client itself, or in a cluster the primary of a slot. Undefined while the slot has none. */
  readonly server: Client | ((slot: number) => Primary<Client> | undefined);
  /** Opens a connection like the client's for subscriptions. In a cluster it is for sharded channels. */
  readonly subscriber: (client: Client, isSharded: boolean, handlers: SubscriberHandlers) => RedisSubscriber;
}

/** Makes a driver for a client, or for a cluster, of one of the client libraries. */
export function createDriver<Client extends object>(adapter: ClientAdapter<Client>): RedisDriver {
  const { server, isClosed, send, subscriber } = adapter;
  if (typeof server !== 'function') {
    return {
      isCluster: false,
      isClosed,
      send,
      primaryOf: () => 'server',
      openSubscriber: (_key, handlers) => Promise.resolve(subscriber(server, false, handlers)),
    };
  }
  const notServed = (): Error => new Error('CLUSTERDOWN Hash slot not served');
  const primaryOf = (key: string): Primary<Client> => {
    const primary = server(slotOf(key));
    if (!primary) throw notServed();
    return primary;
  };
  return {
    isCluster: true,
    isClosed,
    send,
    primaryOf: (key) => primaryOf(key).address,
    async openSubscriber(key, handlers) {
      const client = await primaryOf(key).client();
      if (!client) throw notServed();
      return subscriber(client, true, handlers);
    },
  };
}
