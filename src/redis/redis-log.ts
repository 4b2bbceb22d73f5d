import { LogUnavailableError } from '../errors.js';
import type {
  AppendAnswer,
  EntryId,
  InvocationLog,
  JoinAnswer,
  JoinRequest,
  LogRoster,
  LogWatcher,
} from '../log/invocation-log.js';
import { checkOptions, text } from '../shared/check-options.js';
import { driverOf } from './check-client.js';
import {
  decodeEntry,
  decodeMessage,
  decodePresent,
  decodeState,
  idNumbers,
  shortPrevious,
  type Reply,
} from './entry-codec.js';
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

/** A page of reading: small enough that no other command of the connection waits for long. */
const pageBytes = 256 * 1024;
const pageEntries = 1_000;

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
  const { call, ...calls } = createRedisCalls(driver);
  const subscriptions = openSubscriptions(driver);
  /** The keys that are watched here. */
  const watched = new Map<string, { readonly keys: LogKeys; readonly watchers: Set<LogWatcher> }>();
  let closing: Promise<void> | undefined;
  let isClosed = false;

  const keysOf = (key: string): LogKeys => watched.get(key)?.keys ?? nameKeys(prefix, key);

  const decodeRoster = (keys: LogKeys, state: Reply, present: Reply): LogRoster => {
    const roster = { state: decodeState(state), present: decodePresent(present) };
    keys.leaseMs = roster.state.leaseMs;
    return roster;
  };

  const join = async (request: JoinRequest): Promise<JoinAnswer | undefined> => {
    const { key, member, cursor, claim } = request;
    const keys = keysOf(key);
    const decode = (reply: Reply): JoinAnswer | undefined => {
      if (reply === null) return undefined;
      const [claimed, state, present] = reply as readonly [Reply, Reply, Reply];
      return { claimed: Number(claimed) === 1, ...decodeRoster(keys, state, present) };
    };
    if (!claim) return call('join', keys, [member, cursor], decode);
    const { owner, over, last = '', generation, opening, leaseMs, ttlMs } = claim;
    const args = [
      member,
      cursor,
      owner,
      `,${over.join(',')},`,
      last,
      generation,
      opening,
      ...[leaseMs, ttlMs].map(String),
    ];
    try {
      return await call('claim', keys, args, decode, leaseMs);
    } catch (error) {
      // Without memory nothing is begun, but what runs and what has ended can still be read.
      if (!(error instanceof LogUnavailableError && isOutOfMemory(error.cause))) throw error;
      const answer = await call('join', keys, [member, cursor], decode, leaseMs);
      const { status } = answer?.state ?? {};
      if (status === undefined || (status !== 'running' && over.includes(status))) throw error;
      return answer;
    }
  };

  const decodeAppend = (reply: Reply): AppendAnswer => {
    const [result, state] = reply as readonly Reply[];
    return {
      result: String(result) as AppendAnswer['result'],
      ...(state !== undefined && state !== null && { state: decodeState(state) }),
    };
  };

  return {
    join: (request) => {
      const answer = join(request);
      answer.catch(() => undefined);
      return answer;
    },
    append: ({ key, owner, generation, entries, head = '', end = '', trim }) => {
      const newest = idNumbers((entries.at(-1) as (typeof entries)[number]).id);
      const args: (string | Buffer)[] = [
        owner,
        String(generation),
        head,
        end,
        trim ? minId(idNumbers(trim), newest) : '',
      ];
      for (const entry of entries) {
        const second = entry.id.slice(entry.id.indexOf('-') + 1);
        args.push(second, shortPrevious(entry), entry.record, asBuffer(entry.payload));
      }
      return call('append', keysOf(key), args, decodeAppend);
    },
    restart: ({ key, owner, generation, previous, opening }) =>
      call('restart', keysOf(key), [owner, String(generation), previous, opening], decodeAppend),
    read: ({ key, after, maxBytes = pageBytes }) =>
      call('read', keysOf(key), [after, String(Math.min(maxBytes, pageBytes)), String(pageEntries)], (reply) => {
        if (reply === null) return undefined;
        const [state, page] = reply as readonly [Reply, readonly Reply[]];
        return { state: decodeState(state), entries: page.map(decodeEntry) };
      }),
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
    renew: ({ key, reader, announce = false, producer }) => {
      const keys = keysOf(key);
      subscriptions.check(keys.channel);
      const args = [
        reader?.member ?? '',
        reader?.cursor ?? '',
        announce ? '1' : '0',
        producer?.owner ?? '',
        producer ? String(producer.generation) : '',
      ];
      return call('renew', keys, args, (reply) => {
        if (reply === null) return undefined;
        const [state, present] = reply as readonly [Reply, Reply];
        return decodeRoster(keys, state, present);
      });
    },
    leave: ({ key, member }) => call('leave', keysOf(key), [member], () => undefined),
    seal: ({ key, generation, owner = '', condition, end, record }) =>
      call(
        'seal',
        keysOf(key),
        [generation === undefined ? '' : String(generation), owner, condition, end, record],
        (reply) => {
          if (reply === null) return { sealed: false };
          const [sealed, state] = reply as readonly [Reply, Reply];
          return { sealed: Number(sealed) === 1, state: decodeState(state) };
        },
      ),
    inspect: (key) => call('inspect', keysOf(key), [], (reply) => (reply === null ? undefined : decodeState(reply))),
    forget: (key) => call('forget', keysOf(key), [], () => undefined),
    close: () => {
      closing ??= (async () => {
        const all = [...watched.values()].flatMap(({ watchers }) => [...watchers]);
        await Promise.allSettled(all.map((watcher) => watcher.closing()));
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

/** The least id that is kept when all up to `trim` may go. The newest entry is always kept. */
function minId(trim: readonly [number, number], newest: readonly [number, number]): string {
  const isNewest = trim[0] > newest[0] || (trim[0] === newest[0] && trim[1] >= newest[1]);
  return isNewest ? newest.join('-') : `${trim[0]}-${trim[1] + 1}`;
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('OOM');
}
