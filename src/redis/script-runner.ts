import { createHash } from 'node:crypto';
import { scriptSources, type ScriptName } from './scripts.js';
import type { RedisDriver } from './redis-client.js';

/** Runs one of the log's scripts on the server that holds the keys. */
export type RunScript = (
  name: ScriptName,
  keys: readonly string[],
  args: readonly (string | Buffer)[],
) => Promise<unknown>;

/** Sends a script by its hash, and its source only where the server does not know it: after a restart or a failover. */
export function scriptRunner(driver: RedisDriver): RunScript {
  const sources = scriptSources(driver.isCluster);
  const hashes = Object.fromEntries(
    Object.entries(sources).map(([name, source]) => [name, createHash('sha1').update(source).digest('hex')]),
  ) as Record<ScriptName, string>;
  return async (name, keys, args) => {
    const key = keys[0] as string;
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await driver.send(key, ['EVALSHA', hashes[name], ...rest]);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw named(error, sources[name]);
    }
    try {
      return await driver.send(key, ['EVAL', sources[name], ...rest]);
    } catch (error) {
      throw named(error, sources[name]);
    }
  };
}

/** Names the command that a user may not run. In a script, the server names only its line. */
function named(error: unknown, source: string): unknown {
  if (!(error instanceof Error) || !error.message.includes("can't run this command")) return error;
  const line = Number(/user_script:(\d+)/.exec(error.message)?.[1]);
  const command = source
    .split('\n')
    .slice(0, line)
    .join('\n')
    .match(/(?<=redis\.call\(')\w+/g)
    ?.at(-1);
  return command === undefined
    ? error
    : new Error(`NOPERM User has no permissions to run the '${command}' command`, { cause: error });
}
