import { show } from '../shared/check-options.js';
import { ioredisDriver } from './ioredis-driver.js';
import { nodeRedisDriver } from './node-redis-driver.js';
import type { RedisDriver } from './redis-client.js';

interface AnyClient {
  readonly isOpen?: unknown;
  readonly status?: unknown;
  readonly sendCommand?: unknown;
  readonly callBuffer?: unknown;
  readonly duplicate?: unknown;
  readonly _keyPrefix?: unknown;
  readonly isCluster?: unknown;
  readonly options?: {
    readonly keyPrefix?: unknown;
    readonly shardedSubscribers?: unknown;
    readonly redisOptions?: { readonly keyPrefix?: unknown };
  };
}

const expected =
  'a connected client or cluster of `redis` or `@redis/client` 5 or 6, or of `ioredis` 5.6 or 6 ' +
  '(no pool, no sentinel client)';

/** Checks the client at the call of `redisLog`, as far as it can be known there, and drives it. */
export function driverOf(client: unknown): RedisDriver {
  if (typeof client !== 'object' || client === null) {
    throw new TypeError(`redisLog: client must be ${expected}, not ${show(client)}`);
  }
  const given = client as AnyClient;
  const isIoredis = typeof given.callBuffer === 'function' && typeof given.status === 'string';
  const isNodeRedis = typeof given.sendCommand === 'function' && typeof given.isOpen === 'boolean' && !isIoredis;
  if ((!isIoredis && !isNodeRedis) || typeof given.duplicate !== 'function') {
    throw new TypeError(`redisLog: client must be ${expected}`);
  }
  if (isNodeRedis ? !given.isOpen : given.status === 'end') {
    throw new TypeError('redisLog: client must be connected: await client.connect() before');
  }
  if (given.options?.keyPrefix ?? given.options?.redisOptions?.keyPrefix ?? given._keyPrefix) {
    throw new TypeError(
      'redisLog: client must have no keyPrefix, which would not reach the channels: pass `prefix` to redisLog instead',
    );
  }
  if (isIoredis && given.isCluster === true && given.options?.shardedSubscribers !== true) {
    throw new TypeError(
      'redisLog: client must be a Cluster with `shardedSubscribers: true`: in a cluster the log publishes to sharded ' +
        'channels (SSUBSCRIBE, SPUBLISH)',
    );
  }
  return isIoredis ? ioredisDriver(client) : nodeRedisDriver(client);
}
