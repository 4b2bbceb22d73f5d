/** A client of `redis` or `@redis/client` 5 or 6: what `createClient()` or `createCluster()` returned, connected. */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  sendCommand(...args: never[]): Promise<unknown>;
  duplicate(...args: never[]): unknown;
}

/** A client of `ioredis` 5.6 or 6: a `Redis` or a `Cluster`. */
export interface IoredisClient {
  readonly status: string;
  callBuffer(...args: never[]): Promise<unknown>;
  duplicate(...args: never[]): unknown;
}

/** A client that {@link redisLog} accepts. The log sends its commands through it and never closes it. */
export type RedisLogClient = NodeRedisClient | IoredisClient;

/** One command, its name first. */
export type RedisCommand = readonly (string | Buffer)[];

/** The common interface of all client libraries. */
export interface RedisDriver {
  readonly isCluster: boolean;
  /** Whether the application has closed its client. No command will succeed then. */
  isClosed(): boolean;
  /** Sends a command to the primary of `key`, never to a replica. Bulk strings of the reply are Buffers. */
  send(key: string, command: RedisCommand): Promise<unknown>;
  /** Names the primary that serves `key` now. One name for a server that is not in a cluster. */
  primaryOf(key: string): string;
  /** Opens a connection of the log's own to the primary of `key`, for subscriptions only. */
  openSubscriber(key: string, handlers: SubscriberHandlers): Promise<RedisSubscriber>;
}

/** Takes the messages of one channel. */
export type MessageListener = (message: Buffer) => void;

/** A connection that reconnects by itself. */
export interface RedisSubscriber {
  /** Resolves when the server has confirmed. Subscribing again, with the same listener, confirms again. */
  subscribe(channel: string, listener: MessageListener): Promise<unknown>;
  unsubscribe(channel: string, listener: MessageListener): Promise<unknown>;
  close(): void;
}

export interface SubscriberHandlers {
  /** Called when the connection is open, the first time or again. Messages that were published meanwhile are lost. */
  readonly onReady: () => void;
  /** Called when the connection is cut. The client will reconnect. */
  readonly onCut: () => void;
  /** Called when another primary serves a channel. The client must learn which one. */
  readonly onMoved: () => void;
  /** Called when the connection no longer serves its channels and will not reconnect. Open another one. */
  readonly onGone: () => void;
}
