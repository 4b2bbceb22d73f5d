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

/** What the log needs of a client, whichever it is. */
export interface RedisDriver {
  readonly isCluster: boolean;
  /** The application has closed its client: no command will succeed. */
  isClosed(): boolean;
  /** Sends a command to the primary of `key`, never to a replica. Bulk strings of the reply are Buffers. */
  send(key: string, command: RedisCommand): Promise<unknown>;
  /** Names the primary that serves `key` now. One name for a server that is not in a cluster. */
  primaryOf(key: string): string;
  /** Opens a connection of the log's own to the primary of `key`, for subscriptions only. */
  openSubscriber(key: string, handlers: SubscriberHandlers): Promise<RedisSubscriber>;
}

/** Takes what was published in one channel. */
export type MessageListener = (message: Buffer) => void;

/** A connection that reconnects by itself. */
export interface RedisSubscriber {
  /** Resolves when the server has confirmed. Subscribing again, with the same listener, confirms again. */
  subscribe(channel: string, listener: MessageListener): Promise<unknown>;
  unsubscribe(channel: string, listener: MessageListener): Promise<unknown>;
  close(): void;
}

export interface SubscriberHandlers {
  /** The connection is there, at first or again. What was published meanwhile is lost. */
  readonly onReady: () => void;
  /** The connection is cut and will be tried again. */
  readonly onCut: () => void;
  /** Another primary serves a channel now: the client has to learn which one. */
  readonly onMoved: () => void;
  /** The connection serves its channels no more and is not tried again: open another. */
  readonly onGone: () => void;
}
