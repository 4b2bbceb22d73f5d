import { timer } from 'rxjs';
import { LogUnavailableError } from '../errors.js';
import { createDeadlines } from '../log/deadlines.js';
import { answerLimitMs, defaultLeaseMs } from '../log/log-arguments.js';
import { checkServer } from './check-server.js';
import type { Reply } from './entry-codec.js';
import type { RedisDriver } from './redis-client.js';
import { isPassing, unavailable } from './redis-failure.js';
import { scriptRunner } from './script-runner.js';
import type { ScriptName } from './scripts.js';

/** The keys and the channel of one invocation. All have one hash tag, and so one slot of a cluster. */
export interface LogKeys {
  readonly key: string;
  /** Hash, stream, members and channel, in the order in which the scripts take them. */
  readonly all: readonly [meta: string, log: string, here: string, live: string];
  readonly meta: string;
  readonly channel: string;
  /** The invocation's lease, in milliseconds; the default while this process does not know it. */
  leaseMs: number;
}

/**
 * Names the keys of an invocation. The braces of the caller's own key would be the hash tag, and are percent-encoded.
 */
export function nameKeys(prefix: string, key: string): LogKeys {
  const tag = key.replace(/[{}%]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  const name = (part: string): string => `${prefix}:{${tag}}:${part}`;
  const all = [name('meta'), name('log'), name('here'), name('live')] as const;
  return { key, all, meta: all[0], channel: all[3], leaseMs: defaultLeaseMs };
}

/** Runs the scripts of a log. */
export interface RedisCalls {
  /** Runs a script, and decodes its reply. A rejection that nobody handles is not reported as unhandled. */
  readonly call: <T>(
    name: ScriptName,
    keys: LogKeys,
    args: readonly (string | Buffer)[],
    decode: (reply: Reply) => T,
    leaseMs?: number,
  ) => Promise<T>;
  /** Refuses all calls from now on. */
  readonly close: () => void;
}

/** Repeats a call that a cut connection or a failover interrupts, for three leases: the time an answer may take. */
export function createRedisCalls(driver: RedisDriver): RedisCalls {
  const run = scriptRunner(driver);
  const deadlines = createDeadlines();
  let isChecked = false;
  let checking: Promise<void> | undefined;
  let isClosed = false;

  async function runChecked(name: ScriptName, keys: LogKeys, args: readonly (string | Buffer)[]): Promise<unknown> {
    checking ??= checkServer(driver, keys);
    try {
      await checking;
      isChecked = true;
    } catch (error) {
      checking = undefined;
      throw error;
    }
    return run(name, keys.all, args);
  }

  return {
    call(name, keys, args, decode, leaseMs = keys.leaseMs) {
      const { key } = keys;
      type T = ReturnType<typeof decode>;
      // One promise a call, and no operators: it runs for each token (`npm run bench -- log`).
      const answer = new Promise<T>((resolve, reject) => {
        if (isClosed) {
          reject(closedError(key));
          return;
        }
        const limitMs = answerLimitMs(leaseMs);
        let isOver = false;
        const callOff = deadlines.add(limitMs, () => {
          isOver = true;
          reject(new LogUnavailableError(`Redis has not answered for ${limitMs} ms, three leases`, { key }));
        });
        const fail = (error: unknown): void => {
          callOff();
          reject(unavailable(error, key));
        };
        const attempt = (count: number): void => {
          if (isOver) return;
          const sent = isChecked ? run(name, keys.all, args) : runChecked(name, keys, args);
          sent
            .then(
              (reply) => {
                callOff();
                resolve(decode(reply as Reply));
              },
              (error: unknown) => {
                if (isOver) return;
                if (driver.isClosed()) fail(clientClosedError(key, error));
                else if (isClosed || !isPassing(error)) fail(error);
                else void timer(Math.min(25 * 2 ** count, 1_000)).forEach(() => attempt(count + 1));
              },
            )
            .catch(fail);
        };
        attempt(1);
      });
      answer.catch(seen);
      return answer;
    },
    close() {
      isClosed = true;
    },
  };
}

export function closedError(key: string): LogUnavailableError {
  return new LogUnavailableError('it was closed', { key });
}

/** The client library says this in its own words, some of which name only what it could not read. */
function clientClosedError(key: string, cause: unknown): LogUnavailableError {
  return new LogUnavailableError('the client of Redis is closed, or was never connected', { key, cause });
}

/** Handles an answer, so that a rejection is never unhandled. A call does its work even if nobody reads its answer. */
const seen = (): void => undefined;
