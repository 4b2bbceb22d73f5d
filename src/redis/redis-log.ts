import { catchError, firstValueFrom, from, merge, of, timer } from 'rxjs';
import type { EntryId, InvocationLog, LogWatcher } from '../log/invocation-log.js';
import { checkOptions, text } from '../shared/check-options.js';
import { driverOf } from './check-client.js';
import { decodeMessage } from './entry-codec.js';
import { createLogScripts } from './log-scripts.js';
import type { RedisLogClient } from './redis-client.js';
import { closedError, createRedisCalls, nameKeys, type LogKeys } from './redis-calls.js';
import { unavailable } from './redis-failure.js';
import { openSubscriptions } from './subscriptions.js';

/** Options of {@link redisLog}. */
export interface RedisLogOptions {
  /**
   * A connected client, or a cluster, of `redis` or `@redis/client` 5 or 6, or of `ioredis` 5.6 or 6. A `Cluster` of
   * `ioredis` needs `shardedSubscribers: true`. The log sends its commands through the client. It opens one connection
   * of its own for subscriptions, in a cluster one for each primary.
   */
  readonly client: RedisLogClient;
  /**
   * The beginning of all keys and channels, before `:{key}:`. An ACL may be bound to it: `~rx:* &rx:*`.
   *
   * @defaultValue `'rx'`
   */
  readonly prefix?: string;
}

const isPrefix = {
  expected: 'a text without { and }',
  isValid: (value: unknown) => text.isValid(value) && /^[^{}]+$/.test(String(value)),
};

/**
 * Makes an invocation log of a Redis server or cluster: Redis 7.0 and later, Valkey 7.2 and later.
 *
 * - **Connections**: two for each process, in a cluster two for each primary. One is the client that is passed in, and
 *   the other is for subscriptions.
 * - **Every key expires** with its invocation. Eviction must be off (`maxmemory-policy noeviction`).
 * - **Errors** are `LogUnavailableError`, when Redis refuses or has not answered for three leases.
 *
 * @example
 * const client = await createClient({ url: 'redis://127.0.0.1:6379' }).on('error', console.error).connect();
 * const log = redisLog({ client });
 * process.once('SIGTERM', () => void log.close());
 *
 * @throws TypeError for a client that is not connected, has a `keyPrefix` or is of another kind.
 */
export function redisLog(options: RedisLogOptions): InvocationLog {
  checkOptions('redisLog', options, { prefix: isPrefix });
  const { client, prefix = 'rx' } = (options as Partial<RedisLogOptions> | undefined) ?? {};
  const driver = driverOf(client);
  const calls = createRedisCalls(driver);
  const scripts = createLogScripts(calls.call);
  const subscriptions = openSubscriptions(driver);
  /** The keys that are watched here. */
  const watched = new Map<string, { readonly keys: LogKeys; readonly watchers: Set<LogWatcher> }>();
  /** The departures that Redis has not answered. */
  const leaving = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;
  let isClosed = false;

  const keysOf = (key: string): LogKeys => watched.get(key)?.keys ?? nameKeys(prefix, key);

  return {
    join: (request) => scripts.join(keysOf(request.key), request),
    append: (request) => scripts.append(keysOf(request.key), request),
    restart: (request) => scripts.restart(keysOf(request.key), request),
    read: (request) => scripts.read(keysOf(request.key), request),
    watch: (key, watcher) => {
      if (isClosed) {
        queueMicrotask(() => watcher.failed(closedError(key)));
        return () => undefined;
      }
      const ofKey = watched.get(key) ?? { keys: nameKeys(prefix, key), watchers: new Set() };
      watched.set(key, ofKey);
      ofKey.watchers.add(watcher);
      let last: EntryId | undefined;
      const remove = subscriptions.add(ofKey.keys.channel, {
        ready: () => watcher.ready(),
        message: (message) => {
          if (message[0] === entriesMark) {
            const entries = decodeMessage(message, last);
            last = entries.at(-1)?.id;
            watcher.entries(entries);
          } else if (message[0] === presenceMark) watcher.presence();
        },
        failed: (error) => watcher.failed(unavailable(error, key)),
      });
      return () => {
        remove();
        ofKey.watchers.delete(watcher);
        if (ofKey.watchers.size === 0 && watched.get(key) === ofKey) watched.delete(key);
      };
    },
    renew: (request) => {
      const keys = keysOf(request.key);
      subscriptions.check(keys.channel);
      return scripts.renew(keys, request);
    },
    leave: ({ key, member }) => {
      const keys = keysOf(key);
      const answer = scripts.leave(keys, member);
      // Waits no longer than the presence lasts.
      const answered = from(answer).pipe(catchError(() => of(undefined)));
      const settled = firstValueFrom(merge(answered, timer(keys.leaseMs)), { defaultValue: undefined });
      leaving.add(settled);
      void settled.then(() => leaving.delete(settled));
      return answer;
    },
    seal: (request) => scripts.seal(keysOf(request.key), request),
    inspect: (key) => scripts.inspect(keysOf(key)),
    forget: (key) => scripts.forget(keysOf(key)),
    close: () => {
      closing ??= (async () => {
        const all = [...watched.values()].flatMap(({ watchers }) => [...watchers]);
        await Promise.allSettled(all.map((watcher) => watcher.closing()));
        // The process may end as soon as this has resolved, and would still count as present.
        await Promise.all(leaving);
        isClosed = true;
        calls.close();
        subscriptions.close();
      })();
      return closing;
    },
  };
}

/** What a message of the channel begins with: `e` for entries, `p` for a change among those present. */
const entriesMark = 0x65;
const presenceMark = 0x70;
