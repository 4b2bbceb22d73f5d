/** The keys and the channel of one invocation. All have one hash tag, and so one slot of a cluster. */
export interface LogKeys {
  /** Hash, stream, members and channel, in the order in which the scripts take them. */
  readonly all: readonly [meta: string, log: string, here: string, live: string];
  readonly meta: string;
  readonly channel: string;
}

/**
 * Names the keys of an invocation. The braces of the caller's own key would be the hash tag, and are percent-encoded.
 */
export function logKeys(prefix: string, key: string): LogKeys {
  const tag = key.replace(/[{}%]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  const name = (part: string): string => `${prefix}:{${tag}}:${part}`;
  const all = [name('meta'), name('log'), name('here'), name('live')] as const;
  return { all, meta: all[0], channel: all[3] };
}
