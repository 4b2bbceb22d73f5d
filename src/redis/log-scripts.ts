import { LogUnavailableError } from '../errors.js';
import type {
  AppendAnswer,
  AppendRequest,
  JoinAnswer,
  JoinRequest,
  LogPage,
  LogRoster,
  LogState,
  ReadRequest,
  RenewRequest,
  RestartRequest,
  SealAnswer,
  SealRequest,
} from '../log/invocation-log.js';
import { decodeEntry, decodePresent, decodeState, idNumbers, shortPrevious, type Reply } from './entry-codec.js';
import type { LogKeys, RedisCalls } from './redis-calls.js';

/** A page of reading: small enough that no other command of the connection waits for long. */
const pageBytes = 256 * 1024;
const pageEntries = 1_000;

/** The scripts as functions: a request in, the decoded reply out. */
export interface LogScripts {
  join(keys: LogKeys, request: JoinRequest): Promise<JoinAnswer | undefined>;
  append(keys: LogKeys, request: AppendRequest): Promise<AppendAnswer>;
  restart(keys: LogKeys, request: RestartRequest): Promise<AppendAnswer>;
  read(keys: LogKeys, request: ReadRequest): Promise<LogPage | undefined>;
  renew(keys: LogKeys, request: RenewRequest): Promise<LogRoster | undefined>;
  leave(keys: LogKeys, member: string): Promise<void>;
  seal(keys: LogKeys, request: SealRequest): Promise<SealAnswer>;
  inspect(keys: LogKeys): Promise<LogState | undefined>;
  forget(keys: LogKeys): Promise<void>;
}

export function createLogScripts(call: RedisCalls['call']): LogScripts {
  async function join(keys: LogKeys, { member, cursor, claim }: JoinRequest): Promise<JoinAnswer | undefined> {
    const decode = (reply: Reply): JoinAnswer | undefined => decodeJoin(keys, reply);
    if (!claim) return call('join', keys, [member, cursor], decode);
    const { owner, over, last = '', generation, opening, leaseMs, ttlMs } = claim;
    const times = [leaseMs, ttlMs].map(String);
    const args = [member, cursor, owner, `,${over.join(',')},`, last, generation, opening, ...times];
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
  }

  return {
    join(keys, request) {
      const answer = join(keys, request);
      answer.catch(() => undefined);
      return answer;
    },
    append(keys, { owner, generation, entries, head = '', end = '', trim }) {
      const newest = idNumbers((entries.at(-1) as (typeof entries)[number]).id);
      const least = trim ? leastKept(idNumbers(trim), newest) : '';
      const args: (string | Buffer)[] = [owner, String(generation), head, end, least];
      for (const entry of entries) {
        const second = entry.id.slice(entry.id.indexOf('-') + 1);
        args.push(second, shortPrevious(entry), entry.record, asBuffer(entry.payload));
      }
      return call('append', keys, args, decodeAppend);
    },
    restart: (keys, { owner, generation, previous, opening }) =>
      call('restart', keys, [owner, String(generation), previous, opening], decodeAppend),
    read: (keys, { after, maxBytes = pageBytes }) =>
      call('read', keys, [after, String(Math.min(maxBytes, pageBytes)), String(pageEntries)], decodePage),
    renew(keys, { reader, announce = false, producer }) {
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
    leave: (keys, member) => call('leave', keys, [member], () => undefined),
    seal(keys, { generation, owner = '', condition, end, record }) {
      const args = [generation === undefined ? '' : String(generation), owner, condition, end, record];
      return call('seal', keys, args, decodeSeal);
    },
    inspect: (keys) => call('inspect', keys, [], (reply) => (reply === null ? undefined : decodeState(reply))),
    forget: (keys) => call('forget', keys, [], () => undefined),
  };
}

function decodeJoin(keys: LogKeys, reply: Reply): JoinAnswer | undefined {
  if (reply === null) return undefined;
  const [claimed, state, present] = reply as readonly [Reply, Reply, Reply];
  return { claimed: Number(claimed) === 1, ...decodeRoster(keys, state, present) };
}

/** Every roster tells the invocation's lease, which the next calls wait by. */
function decodeRoster(keys: LogKeys, state: Reply, present: Reply): LogRoster {
  const roster = { state: decodeState(state), present: decodePresent(present) };
  keys.leaseMs = roster.state.leaseMs;
  return roster;
}

function decodeAppend(reply: Reply): AppendAnswer {
  const [result, state] = reply as readonly Reply[];
  return {
    result: String(result) as AppendAnswer['result'],
    ...(state !== undefined && state !== null && { state: decodeState(state) }),
  };
}

function decodePage(reply: Reply): LogPage | undefined {
  if (reply === null) return undefined;
  const [state, page] = reply as readonly [Reply, readonly Reply[]];
  return { state: decodeState(state), entries: page.map(decodeEntry) };
}

function decodeSeal(reply: Reply): SealAnswer {
  if (reply === null) return { sealed: false };
  const [sealed, state] = reply as readonly [Reply, Reply];
  return { sealed: Number(sealed) === 1, state: decodeState(state) };
}

/** The least id that is kept when all up to `trim` may go. The newest entry is always kept. */
function leastKept(trim: readonly [number, number], newest: readonly [number, number]): string {
  const isNewest = trim[0] > newest[0] || (trim[0] === newest[0] && trim[1] >= newest[1]);
  return isNewest ? newest.join('-') : `${trim[0]}-${trim[1] + 1}`;
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('OOM');
}
