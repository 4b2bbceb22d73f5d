import { plainBytes } from '../shared/bytes.js';
import type { EntryId, LogEntry, LogState, LogStatus, PresentMember } from '../log/invocation-log.js';

/** A reply of a script: numbers, Buffers, null, and lists of these. */
export type Reply = number | Buffer | null | readonly Reply[];

const noBytes = new Uint8Array(0);
const newline = 0x0a;
const space = 0x20;
const dash = 0x2d;
const zero = 0x30;

/** Splits an id into its numbers. */
export function idNumbers(id: EntryId): [generation: number, second: number] {
  const dash = id.indexOf('-');
  return [Number(id.slice(0, dash)), Number(id.slice(dash + 1))];
}

/** Returns the stored form of a previous id. Its generation is left out if the entry has the same one. */
export function shortPrevious({ id, previous }: LogEntry): string {
  const generation = id.slice(0, id.indexOf('-') + 1);
  return previous.startsWith(generation) ? previous.slice(generation.length) : previous;
}

/** Whether the entry before one is `last`: its generation is that of the entry's own id, its number stands apart. */
function isAfter(last: EntryId, message: Buffer, idAt: number, previousAt: number, previousEnd: number): boolean {
  let from = idAt;
  for (let at = 0; at < last.length; at++) {
    const code = last.charCodeAt(at);
    if (code !== message[from++]) return false;
    if (code === dash) from = previousAt;
  }
  return from === previousEnd;
}

function longPrevious(id: string, short: string): EntryId {
  return (short.includes('-') ? short : `${id.slice(0, id.indexOf('-'))}-${short}`) as EntryId;
}

/**
 * Decodes the entries of a published message: for each `id previous recordBytes payloadBytes`, a newline, both.
 *
 * It runs for each token and reader (`npm run bench -- log`): the numbers are read digit by digit, and an entry that
 * follows `last` has the very string for its `previous`, which then equals the places of readers at a glance.
 */
export function decodeMessage(message: Buffer, last?: EntryId): LogEntry[] {
  const entries: LogEntry[] = [];
  const { length } = message;
  let before = last;
  for (let at = 1; at < length;) {
    let idEnd = at;
    while (idEnd < length && message[idEnd] !== space) idEnd++;
    let previousEnd = idEnd + 1;
    while (previousEnd < length && message[previousEnd] !== space) previousEnd++;
    if (previousEnd >= length) break;
    const id = message.toString('latin1', at, idEnd) as EntryId;
    const previous =
      before !== undefined && isAfter(before, message, at, idEnd + 1, previousEnd)
        ? before
        : longPrevious(id, message.toString('latin1', idEnd + 1, previousEnd));
    before = id;
    let recordBytes = 0;
    let payloadBytes = 0;
    at = previousEnd + 1;
    for (; at < length && message[at] !== space; at++) recordBytes = 10 * recordBytes + (message[at] as number) - zero;
    for (at++; at < length && message[at] !== newline; at++) {
      payloadBytes = 10 * payloadBytes + (message[at] as number) - zero;
    }
    const payloadAt = at + 1 + recordBytes;
    at = payloadAt + payloadBytes;
    // Another program has published this message. The entries are read from the stream.
    if (!(at <= length)) break;
    entries.push({
      id,
      previous,
      record: recordBytes === 0 ? '' : message.toString('utf8', payloadAt - recordBytes, payloadAt),
      payload:
        payloadBytes === 0 ? noBytes : new Uint8Array(message.buffer, message.byteOffset + payloadAt, payloadBytes),
    });
  }
  return entries;
}

/** Decodes an entry of the stream: its id and its fields. */
export function decodeEntry(reply: Reply): LogEntry {
  const [idBytes, fields] = reply as [Buffer, readonly Buffer[]];
  const id = idBytes.toString('latin1') as EntryId;
  let previous = '0-0';
  let record = '';
  let payload: Uint8Array = noBytes;
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const value = fields[index + 1] as Buffer;
    // A later version may write further fields.
    switch (fields[index]?.toString('latin1')) {
      case 'p':
        previous = value.toString('latin1');
        break;
      case 'r':
        record = value.toString();
        break;
      case 'b':
        payload = plainBytes(value);
        break;
    }
  }
  return { id, previous: longPrevious(id, previous), record, payload };
}

/** Decodes what `state` of the scripts returns; the order of the fields is written there. */
export function decodeState(reply: Reply): LogState {
  const [generation, status, owner, last, trimmed, opening, head, end, leaseMs, ttlMs, leaseLeftMs] = (
    reply as readonly (Buffer | null)[]
  ).map((field) => field?.toString());
  return {
    generation: Number(generation),
    status: status as LogStatus,
    owner: owner as string,
    last: `${generation}-${last}` as EntryId,
    opening: opening as string,
    leaseMs: Number(leaseMs),
    ttlMs: Number(ttlMs),
    leaseLeftMs: Number(leaseLeftMs),
    ...(trimmed !== undefined && { trimmed: trimmed as EntryId }),
    ...(head !== undefined && { head }),
    ...(end !== undefined && { end }),
  };
}

/** Decodes the members as `present` of the scripts returns them: a token, a cursor and the time left in turn. */
export function decodePresent(reply: Reply): PresentMember[] {
  const list = (reply as readonly Buffer[]).map(String);
  const members: PresentMember[] = [];
  for (let index = 0; index + 2 < list.length; index += 3) {
    const [member, cursor, left] = list.slice(index, index + 3) as [string, EntryId, string];
    members.push({ member, cursor, leftMs: Number(left) });
  }
  return members;
}
