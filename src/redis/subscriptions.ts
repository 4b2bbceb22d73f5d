import { timer } from 'rxjs';
import { isPassing } from './redis-failure.js';
import type { MessageListener, RedisDriver, RedisSubscriber } from './redis-client.js';

/** The callbacks of one channel. */
export interface ChannelListener {
  /** Called when the server has confirmed the subscription, the first time and after messages may have been missed. */
  ready(): void;
  message(message: Buffer): void;
  /** Called when the server refuses the subscription for good. */
  failed(error: unknown): void;
}

/** All subscriptions of a log, over one connection, in a cluster one for each primary that is needed. */
export interface Subscriptions {
  /** Subscribes to a channel, until the returned function is called. */
  add(channel: string, listener: ChannelListener): () => void;
  /** Moves the channel if another primary serves it now. */
  check(channel: string): void;
  close(): void;
}

interface Connection {
  readonly address: string;
  readonly channels: Set<Channel>;
  subscriber: Promise<RedisSubscriber>;
  isReady: boolean;
  failures: number;
}

interface Channel {
  readonly name: string;
  readonly listeners: Set<ChannelListener>;
  readonly onMessage: MessageListener;
  connection: Connection | undefined;
  isReady: boolean;
}

/** How long a connection without a channel stays open, in milliseconds. It would keep the process from ending. */
const idleMs = 1_000;

/** How long to wait before the next attempt, in milliseconds. */
const backoffMs = (failures: number): number => Math.min(50 * 2 ** failures, 1_000);

const after = (ms: number, action: () => void): void => void timer(ms).forEach(action);

export function openSubscriptions(driver: RedisDriver): Subscriptions {
  const connections = new Map<string, Connection>();
  const channels = new Map<string, Channel>();
  let isClosed = false;

  /** Assigns a channel to the primary that serves it. */
  const assign = (channel: Channel, failures = 0): void => {
    if (isClosed || channel.connection || channel.listeners.size === 0) return;
    let connection: Connection;
    try {
      connection = connectionTo(channel.name, failures);
    } catch {
      // The cluster has no primary for this slot now.
      after(backoffMs(failures), () => assign(channel, failures + 1));
      return;
    }
    channel.connection = connection;
    connection.channels.add(channel);
    if (connection.isReady) subscribe(connection, channel);
  };

  const connectionTo = (channelName: string, failures: number): Connection => {
    const address = driver.primaryOf(channelName);
    const known = connections.get(address);
    if (known) return known;
    const subscriber = driver.openSubscriber(channelName, {
      onReady: () => {
        connection.isReady = true;
        connection.failures = 0;
        for (const channel of connection.channels) subscribe(connection, channel);
      },
      onCut: () => {
        connection.isReady = false;
      },
      onMoved: () => drop(connection, look),
      onGone: () => drop(connection),
    });
    const connection: Connection = { address, channels: new Set(), subscriber, isReady: false, failures };
    connections.set(address, connection);
    subscriber.catch(() => drop(connection));
    return connection;
  };

  const subscribe = (connection: Connection, channel: Channel): void => {
    connection.subscriber
      .then((subscriber) => subscriber.subscribe(channel.name, channel.onMessage))
      .then(
        () => {
          if (channel.connection !== connection) return;
          channel.isReady = true;
          for (const listener of [...channel.listeners]) listener.ready();
        },
        (error: unknown) => {
          if (channel.connection !== connection) return;
          if (isMoved(error)) move(channel);
          else if (isPassing(error)) retrySubscribing(connection, channel);
          else for (const listener of [...channel.listeners]) listener.failed(error);
        },
      );
  };

  /** Subscribes again after a failure. A cut connection does so itself at its next `onReady`. */
  const retrySubscribing = (connection: Connection, channel: Channel): void => {
    after(backoffMs(1), () => {
      if (connection.isReady && channel.connection === connection) subscribe(connection, channel);
    });
  };

  /** Sends a command on the key, so that the client learns which primary serves it, and moves the channel there. */
  const look = (channel: Channel): void => {
    driver.send(channel.name, ['EXISTS', channel.name]).then(
      () => assign(channel),
      () => assign(channel, 1),
    );
  };

  /** Moves a channel after a pause. While a slot moves, the nodes of a cluster may name each other as its primary. */
  const move = (channel: Channel): void => {
    release(channel);
    after(backoffMs(0), () => look(channel));
  };

  const release = (channel: Channel): void => {
    const { connection } = channel;
    channel.connection = undefined;
    channel.isReady = false;
    connection?.channels.delete(channel);
    if (connection?.channels.size === 0) closeWhenIdle(connection);
  };

  const unsubscribe = (channel: Channel): void => {
    channel.connection?.subscriber
      .then((subscriber) => subscriber.unsubscribe(channel.name, channel.onMessage))
      .catch(ignore);
    release(channel);
  };

  const closeWhenIdle = (connection: Connection): void => {
    after(idleMs, () => {
      if (connection.channels.size === 0) drop(connection);
    });
  };

  const drop = (connection: Connection, next = assign): void => {
    if (connections.get(connection.address) !== connection) return;
    connections.delete(connection.address);
    connection.isReady = false;
    close(connection);
    const { failures } = connection;
    for (const channel of [...connection.channels]) {
      release(channel);
      after(backoffMs(failures), () => next(channel, failures + 1));
    }
  };

  return {
    add: (name, listener) => {
      const channel = channels.get(name) ?? createChannel(name);
      channels.set(name, channel);
      channel.listeners.add(listener);
      if (channel.isReady) queueMicrotask(() => channel.listeners.has(listener) && listener.ready());
      else assign(channel);
      return () => {
        channel.listeners.delete(listener);
        if (channel.listeners.size > 0 || channels.get(name) !== channel) return;
        channels.delete(name);
        unsubscribe(channel);
      };
    },
    check: (name) => {
      const channel = channels.get(name);
      if (!channel?.connection) return;
      try {
        if (driver.primaryOf(name) === channel.connection.address) return;
      } catch {
        return;
      }
      unsubscribe(channel);
      assign(channel);
    },
    close: () => {
      isClosed = true;
      for (const connection of connections.values()) close(connection);
      connections.clear();
      channels.clear();
    },
  };
}

function createChannel(name: string): Channel {
  const listeners = new Set<ChannelListener>();
  // A function for each channel: a client names the channel in bytes, and this runs for each token.
  const onMessage = (message: Buffer): void => {
    for (const listener of listeners) listener.message(message);
  };
  return { name, listeners, onMessage, connection: undefined, isReady: false };
}

function close({ subscriber }: Connection): void {
  subscriber.then((opened) => opened.close()).catch(ignore);
}

function isMoved(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('MOVED');
}

/** Ends a subscription. A connection that is cut or was never opened has none. */
const ignore = (): void => undefined;
