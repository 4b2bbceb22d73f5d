import { LogUnavailableError } from '../errors.js';
import type { LogKeys } from './redis-calls.js';
import type { RedisDriver } from './redis-client.js';

/**
 * Checks the server once, before the first command of a log: its version, the permission for channels, which a user may
 * lack while it has the keys, and its eviction policy.
 */
export async function checkServer(driver: RedisDriver, { meta, channel }: LogKeys): Promise<void> {
  const info = await driver.send(meta, ['INFO']).then(String, (error: unknown) => {
    // A user without this command may still have all that are needed.
    if (error instanceof Error && error.message.startsWith('NOPERM')) return '';
    throw error;
  });
  const field = (name: string): string | undefined => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
  const valkey = field('valkey_version');
  const version = valkey ?? field('redis_version');
  if (version !== undefined && isOlder(version, valkey === undefined ? [7, 0] : [7, 2])) {
    throw new LogUnavailableError(
      `Redis ${version} is too old. Script flags and SPUBLISH came with Redis 7.0: use Redis 7.0 or Valkey 7.2`,
    );
  }
  await driver.send(meta, [driver.isCluster ? 'SPUBLISH' : 'PUBLISH', channel, '']);
  const policy = field('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    process.emitWarning(
      `The Redis server has maxmemory-policy ${policy}, which may evict running streams: their consumers get a ` +
        'ProducerLostError. Set maxmemory-policy to noeviction',
      { type: 'RedisEvictionWarning', code: 'RX_LAMBDA_STREAM_EVICTION' },
    );
  }
}

function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [givenMajor = 0, givenMinor = 0] = version.split('.').map(Number);
  return givenMajor < major || (givenMajor === major && givenMinor < minor);
}
