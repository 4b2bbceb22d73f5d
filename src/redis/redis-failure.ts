import { LogUnavailableError } from '../errors.js';

/** The replies that say "not now": the server loads its data, a failover runs, a slot moves. */
const passing = /^(LOADING|CLUSTERDOWN|TRYAGAIN|MASTERDOWN|READONLY|BUSY|MOVED|ASK|UNBLOCKED|NOREPLICAS)\b/;

/** The first word of an error reply. A client's own errors, such as a cut connection, have none. */
const replyCode = /^[A-Z][A-Z0-9]+ /;

/** Tells whether a command that failed so may be sent again: the connection was cut, or the server says "not now". */
export function isPassing(error: unknown): boolean {
  if (error instanceof LogUnavailableError) return false;
  const message = messageOf(error);
  return passing.test(message) || !replyCode.test(message);
}

/** Advice for an error reply, by the beginning of the reply. */
const advice: readonly (readonly [RegExp, string])[] = [
  [
    /^NOPERM.*channel|can't access.*channel/i,
    'the user lacks the channels: add &PREFIX:* to its ACL, such as `ACL SETUSER name &rx:*`',
  ],
  [
    /^NOPERM.*key|can't access.*key/i,
    'the user lacks the keys: add ~PREFIX:* to its ACL, such as `ACL SETUSER name ~rx:*`',
  ],
  [/^NOPERM/, 'the user lacks a command: docs/redis-entries.md lists the ACL that suffices'],
  [/^(NOAUTH|WRONGPASS)/, 'the server refuses the credentials of the client'],
  [/^OOM/, 'the server is out of memory: raise maxmemory, or lower maxReplayBytes and ttlMs'],
  [/^MISCONF/, 'the server cannot save its data and refuses to write'],
  [
    /shebang|near '#'|unknown command.*SPUBLISH/i,
    'script flags and SPUBLISH came with Redis 7.0: use Redis 7.0 or Valkey 7.2',
  ],
];

/** Makes the error of a log that refuses. Its message has the server's words, because they name what is missing. */
export function unavailable(error: unknown, key?: string): LogUnavailableError {
  if (error instanceof LogUnavailableError) return error;
  const message = messageOf(error);
  const hint = advice.find(([pattern]) => pattern.test(message))?.[1];
  const init = { cause: error, ...(key !== undefined && { key }) };
  return new LogUnavailableError(`Redis refuses: ${hint === undefined ? message : `${hint} (${message})`}`, init);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
