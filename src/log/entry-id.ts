import type { EntryId } from './invocation-log.js';

/**
 * A place in the response: `<generation>-<bytes>`, the payload bytes delivered so far in this generation. It is what
 * the `id:` of a server-sent event carries, and what `after` takes.
 */
export type Position = `${number}-${number}`;

/** How many entries without payload one place has room for, the chunk's own slot 0 included. */
const slotsPerPlace = 1024;

const dash = 0x2d;
const zero = 0x30;

/** From this slot on, an event that can be missed is not logged: takeovers and the end still need room. */
export const lastEventSlot = 900;

/** From this slot on, nobody takes over: the end needs room. */
export const lastTakeoverSlot = 1_000;

/** An entry's id, or a position, taken apart. */
export interface Place {
  readonly generation: number;
  readonly bytes: number;
  readonly slot: number;
}

/**
 * Reads an entry's id. The numbers are read digit by digit, without a string for each: it runs for each token
 * (`npm run bench -- log`). They are safe integers, so that no digit is rounded.
 */
export function placeOf(id: EntryId): Place {
  let generation = 0;
  let second = 0;
  for (let at = 0; at < id.length; at++) {
    const code = id.charCodeAt(at);
    if (code === dash) {
      generation = second;
      second = 0;
    } else {
      second = second * 10 + code - zero;
    }
  }
  const slot = second % slotsPerPlace;
  return { generation, bytes: (second - slot) / slotsPerPlace, slot };
}

/** Writes an entry's id. */
export function entryIdOf({ generation, bytes, slot }: Place): EntryId {
  return `${generation}-${bytes * slotsPerPlace + slot}`;
}

/** Returns the next id. */
export function nextEntryId(id: EntryId): EntryId {
  const [generation, second] = numbersOf(id);
  return `${generation}-${second + 1}`;
}

/** Returns the id of the opening entry of a generation. */
export const openingIdOf = (generation: number): EntryId => `${generation}-0`;

/** Compares two ids. Negative if the first one is older, 0 if they are equal. */
export function compareIds(first: EntryId, second: EntryId): number {
  if (first === second) return 0;
  // Numbers without leading zeros and of the same length are in the order of their digits.
  if (first.length === second.length && first.indexOf('-') === second.indexOf('-')) return first < second ? -1 : 1;
  const [firstGeneration, firstNumber] = numbersOf(first);
  const [secondGeneration, secondNumber] = numbersOf(second);
  return firstGeneration - secondGeneration || firstNumber - secondNumber;
}

/** Reads a position, which may come from a stranger. Returns undefined for a text that is not `digits-digits`. */
export function parsePosition(text: unknown): Place | undefined {
  if (typeof text !== 'string' || !/^\d{1,20}-\d{1,20}$/.test(text)) return undefined;
  const [generation, bytes] = numbersOf(text as Position);
  return { generation, bytes, slot: 0 };
}

/** Returns the position after an entry. */
export const positionOf = ({ generation, bytes }: Place): Position => `${generation}-${bytes}`;

function numbersOf(id: EntryId): [number, number] {
  const dash = id.indexOf('-');
  return [Number(id.slice(0, dash)), Number(id.slice(dash + 1))];
}
