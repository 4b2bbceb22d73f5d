import { isPlainObject } from '../shared/json.js';

/**
 * Encodes an object as JSON.
 *
 * @param member - The member of the input, for the message.
 * @throws TypeError for a value without JSON, and for one that JSON shows as `{}` although it holds something.
 */
export function encodeJson(member: string, value: object): Uint8Array {
  const { toJSON, then, subscribe, getReader, pipe } = Object(value) as Readonly<Record<string, unknown>>;
  const isLive = typeof (getReader ?? pipe ?? (toJSON ? undefined : (then ?? subscribe))) === 'function';
  if (typeof value !== 'object' || isLive || (!toJSON && /^(Null|Error)$/.test(tagOf(value)))) {
    throw refusal(member, 'is', value);
  }

  let json: string;
  let hidden: object | undefined;
  try {
    json = JSON.stringify(value);
    if (json === '{}' && !toJSON && !isPlainObject(value)) hidden = value;
    // The values are examined only where the JSON holds `{}`, because that takes several times as long.
    else if (json.includes('{}')) {
      JSON.stringify(value, (_key, part: unknown) => {
        if (isHidden(part)) hidden ??= part;
        return part;
      });
    }
  } catch (cause) {
    throw new TypeError(
      `${member} has no JSON: a BigInt (send it as text), a cycle, or a toJSON or getter that failed`,
      { cause },
    );
  }
  if (hidden) throw refusal(member, hidden === value ? 'is' : 'holds', hidden);
  return new TextEncoder().encode(json);
}

/** Tells whether JSON shows an object of the platform, such as a Map, as `{}`. An application's object may be empty. */
function isHidden(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || 'length' in value) return false;
  return tagOf(value) !== 'Object' && JSON.stringify(value) === '{}';
}

/** Makes the error for a value. Its message names the value's kind and never its content. */
function refusal(member: string, verb: string, value: unknown): TypeError {
  const { constructor, then, get } = Object(value) as {
    constructor?: { name?: string };
    then?: unknown;
    get?: unknown;
  };
  const tag = tagOf(value);
  const kind = String(tag === 'Object' ? constructor?.name : tag);
  let advice = 'a plain object of what it holds';
  if (then) advice = 'what it resolves to, await it';
  else if (Symbol.iterator in Object(value)) advice = get ? 'Object.fromEntries(it)' : '[...it]';
  return new TypeError(
    `${member} ${verb} ${/^[AEIO]/.test(kind) ? 'an' : 'a'} ${kind}, which JSON cannot show: send ${advice}`,
  );
}

/** Returns the kind of an object of the platform, of any realm. Other objects are `Object`. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
