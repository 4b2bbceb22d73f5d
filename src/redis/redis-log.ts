import { defer, retry, throwError, timeout, timer, type Observable } from 'rxjs';
import { LogUnavailableError } from '../errors.js';
import type {
  AppendAnswer,
  InvocationLog,
  JoinAnswer,
  JoinRequest,
  LogRoster,
  LogWatcher,
} from '../log/invocation-log.js';
import { checkOptions, text } from '../shared/check-options.js';
import { driverOf } from './check-client.js';
import { checkServer } from './check-server.js';
import {
  decodeEntry,
  decodeMessage,
  decodePresent,
  decodeState,
  idNumbers,
  shortPrevious,
  type Reply,
} from './entry-codec.js';
import { logKeys, type LogKeys } from './log-keys.js';
import type { RedisLogClient } from './redis-client.js';
import { isPassing, unavailable } from './redis-failure.js';
import { scriptRunner } from './script-runner.js';
import type { ScriptName } from './scripts.js';
import { openSubscriptions } from './subscriptions.js';

/** Options of {@link redisLog}. */
export interface RedisLogOptions {
  /**
   * A connected client, or a cluster, of `redis` or `@redis/client` 5 or 6, or of `ioredis` 5.6 or 6. The log sends
   * commands through it, and opens one connection of its own for subscriptions, in a cluster one a primary.
   */
  readonly client: RedisLogClient;
  /**
   * What all keys and channels begin with, before `:{key}:`. An ACL may be bound to it: `~rx:* &rx:*`.
   *
   * @defaultValue `'rx'`
   */
  readonly prefix?: string;
}

/** A page of reading: small enough that no other command of the connection waits for long. */
const pageBytes = 256 * 1024;
const pageEntries = 1_000;

/** The lease of a key that this process does not know yet, in milliseconds. */
const defaultLeaseMs = 10_000;

const isPrefix = {
  expected: 'a text without { and }',
  isValid: (value: unknown) => text.isValid(value) && /^[^{}]+$/.test(String(value)),
};

/**
 * Makes an invocation log of a Redis server or cluster: Redis 7.0 and later, Valkey 7.2 and later.
 *
 * - **Two connections** a process, in a cluster two a primary: the client that is passed in, and one for subscriptions.
 * - **Every key expires** with its invocation; eviction has to be off (`maxmemory-policy noeviction`).
 * - **Errors** are `LogUnavailableError`: Redis refuses, or has not answered for three leases.
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
  const run = scriptRunner(driver);
  const subscriptions = openSubscriptions(driver);
  const watchers = new Map<string, Set<LogWatcher>>();
  /** The leases of the keys that are watched here, in milliseconds. */
  const leases = new Map<string, number>();
  let checked: Promise<void> | undefined;
  let closing: Promise<void> | undefined;
  let isClosed = false;

  /** Repeats what a cut connection or a failover interrupts, for three leases. */
  const answered = <T>(key: string, leaseMs: number, attempt: () => Promise<T>): Observable<T> => {
    if (isClosed) return throwError(() => closedError(key));
    const limitMs = 3 * leaseMs;
    return defer(attempt).pipe(
      retry({
        delay: (error: unknown, count) =>
          isPassing(error) && !isClosed && !driver.isClosed()
            ? timer(Math.min(25 * 2 ** count, 1_000))
            : throwError(() => unavailable(error, key)),
      }),
      timeout({
        first: limitMs,
        with: () =>
          throwError(() => new LogUnavailableError(`Redis has not answered for ${limitMs} ms, three leases`, { key })),
      }),
    );
  };

  const check = (keys: LogKeys): Promise<void> => {
    checked ??= checkServer(driver, keys).catch((error: unknown) => {
      checked = undefined;
      throw error;
    });
    return checked;
  };

  const call = <T>(
    name: ScriptName,
    key: string,
    args: readonly (string | Buffer)[],
    decode: (reply: Reply) => T,
    leaseMs = leases.get(key) ?? defaultLeaseMs,
  ): Promise<T> => {
    const keys = logKeys(prefix, key);
    const answer = answered(key, leaseMs, async () => {
      await check(keys);
      return decode((await run(name, keys.all, args)) as Reply);
    });
    return handled(new Promise<T>((resolve, reject) => answer.subscribe({ next: resolve, error: reject })));
  };

  const decodeRoster = (key: string, state: Reply, present: Reply): LogRoster => {
    const roster = { state: decodeState(state), present: decodePresent(present) };
    if (watchers.has(key)) leases.set(key, roster.state.leaseMs);
    return roster;
  };

  const join = async (request: JoinRequest): Promise<JoinAnswer | undefined> => {
    const { key, member, cursor, claim } = request;
    const decode = (reply: Reply): JoinAnswer | undefined => {
      if (reply === null) return undefined;
      const [claimed, state, present] = reply as readonly [Reply, Reply, Reply];
      return { claimed: Number(claimed) === 1, ...decodeRoster(key, state, present) };
    };
    if (!claim) return call('join', key, [member, cursor], decode);
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
      return await call('claim', key, args, decode, leaseMs);
    } catch (error) {
      // Without memory nothing is begun, but what runs and what has ended can still be read.
      if (!(error instanceof LogUnavailableError && isOutOfMemory(error.cause))) throw error;
      const answer = await call('join', key, [member, cursor], decode, leaseMs);
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
    join: (request) => handled(join(request)),
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
      return call('append', key, args, decodeAppend);
    },
    restart: ({ key, owner, generation, previous, opening }) =>
      call('restart', key, [owner, String(generation), previous, opening], decodeAppend),
    read: ({ key, after, maxBytes = pageBytes }) =>
      call('read', key, [after, String(Math.min(maxBytes, pageBytes)), String(pageEntries)], (reply) => {
        if (reply === null) return undefined;
        const [state, page] = reply as readonly [Reply, readonly Reply[]];
        return { state: decodeState(state), entries: page.map(decodeEntry) };
      }),
    watch: (key, watcher) => {
      const { channel } = logKeys(prefix, key);
      if (isClosed) {
        queueMicrotask(() => watcher.failed(closedError(key)));
        return () => undefined;
      }
      const ofKey = watchers.get(key) ?? new Set();
      watchers.set(key, ofKey.add(watcher));
      const remove = subscriptions.add(channel, {
        ready: () => watcher.ready(),
        message: (message) => {
          if (message[0] === entriesMark) watcher.entries(decodeMessage(message));
          else if (message[0] === presenceMark) watcher.presence();
        },
        failed: (error) => watcher.failed(unavailable(error, key)),
      });
      return () => {
        remove();
        ofKey.delete(watcher);
        if (ofKey.size > 0 || watchers.get(key) !== ofKey) return;
        watchers.delete(key);
        leases.delete(key);
      };
    },
    renew: ({ key, reader, announce = false, producer }) => {
      subscriptions.check(logKeys(prefix, key).channel);
      const args = [
        reader?.member ?? '',
        reader?.cursor ?? '',
        announce ? '1' : '0',
        producer?.owner ?? '',
        producer ? String(producer.generation) : '',
      ];
      return call('renew', key, args, (reply) => {
        if (reply === null) return undefined;
        const [state, present] = reply as readonly [Reply, Reply];
        return decodeRoster(key, state, present);
      });
    },
    leave: ({ key, member }) => call('leave', key, [member], () => undefined),
    seal: ({ key, generation, owner = '', condition, end, record }) =>
      call(
        'seal',
        key,
        [generation === undefined ? '' : String(generation), owner, condition, end, record],
        (reply) => {
          if (reply === null) return { sealed: false };
          const [sealed, state] = reply as readonly [Reply, Reply];
          return { sealed: Number(sealed) === 1, state: decodeState(state) };
        },
      ),
    inspect: (key) => call('inspect', key, [], (reply) => (reply === null ? undefined : decodeState(reply))),
    forget: (key) => call('forget', key, [], () => undefined),
    close: () => {
      closing ??= (async () => {
        const all = [...watchers.values()].flatMap((ofKey) => [...ofKey]);
        await Promise.allSettled(all.map((watcher) => watcher.closing()));
        isClosed = true;
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

function closedError(key: string): LogUnavailableError {
  return new LogUnavailableError('it was closed', { key });
}

/** Marks a rejection as seen: a call does its work also where nobody looks at its answer. */
function handled<T>(answer: Promise<T>): Promise<T> {
  answer.catch(() => undefined);
  return answer;
}
