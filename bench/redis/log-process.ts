/** One process of the benchmark: writes or reads token streams, and reports what it took. Told by `run.ts`. */
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from 'redis';
import { concat, map, of, take, timer } from 'rxjs';
import { followInvocation, joinInvocation } from '../../src/log/index.js';
import { redisLog } from '../../src/redis/index.js';
import { chunkEvent, completeEvent, headEvent } from '../../src/testing/index.js';
import type { Job, Measured } from './measure.js';

const job = JSON.parse(process.env.JOB ?? '') as Job;
const { role, streams, perSecond, seconds, followers } = job;
const now = (): number => performance.timeOrigin + performance.now();
const keys = Array.from({ length: streams }, (_, index) => `stream ${index}`);
const tokens = perSecond * seconds;
const client = await createClient({ url: `redis://127.0.0.1:${job.port}` }).connect();
const lags: number[] = [];
let bytes = 0;

/** A token: its time, padded. */
const token = (): Uint8Array => {
  const payload = new Uint8Array(Math.max(8, job.tokenBytes));
  new DataView(payload.buffer).setFloat64(0, now());
  return payload;
};
const arrived = (payload: Uint8Array): void => {
  bytes += payload.length;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  lags.push(now() - view.getFloat64(0));
};
const startMs = (index: number): number => (index * 1000) / perSecond / streams;

process.send?.('ready');
await new Promise((resolve) => process.once('message', resolve));
const before = process.cpuUsage();
await work();
const { user, system } = process.cpuUsage(before);
lags.sort((a, b) => a - b);
const at = (part: number): number => lags[Math.min(lags.length - 1, Math.floor(lags.length * part))] ?? NaN;
const measured: Measured = { tokens: lags.length, bytes, cpuMs: (user + system) / 1000, p50: at(0.5), p99: at(0.99) };
process.send?.(measured, () => process.exit());

async function work(): Promise<void> {
  if (role === 'log-producer' || role === 'log-reader') {
    const log = redisLog({ client });
    await Promise.all(
      keys.flatMap((key, index) => {
        const open = () =>
          concat(
            of(headEvent()),
            timer(startMs(index), 1000 / perSecond).pipe(
              take(tokens),
              map(() => chunkEvent(token())),
            ),
            of(completeEvent()),
          );
        const read = () => (role === 'log-producer' ? joinInvocation(log, key, open) : followInvocation(log, key));
        return Array.from({ length: followers }, () => {
          // The first byte of each follower, or each token.
          const isFirstOnly = followers > 1;
          let isFirst = true;
          return read().forEach((event) => {
            if (event.type !== 'chunk') return;
            if (role === 'log-reader' && (isFirst || !isFirstOnly)) arrived(event.payload);
            isFirst = false;
          });
        });
      }),
    );
    await log.close();
  } else if (role === 'xadd-producer') {
    const added: Promise<unknown>[] = [];
    await Promise.all(
      keys.map((key, index) =>
        timer(startMs(index), 1000 / perSecond)
          .pipe(take(tokens))
          .forEach(() => added.push(client.sendCommand(['XADD', key, '*', 'b', Buffer.from(token())]))),
      ),
    );
    await Promise.all(added);
  } else if (role === 'xread-reader') {
    const last = new Map(keys.map((key) => [key, '0-0']));
    const mapped = client.withTypeMapping({ 36: Buffer });
    while (lags.length < tokens * streams) {
      const command = ['XREAD', 'COUNT', '100', 'BLOCK', '2000', 'STREAMS', ...last.keys(), ...last.values()];
      type Streams = Map<Buffer, [Buffer, Buffer[]][]> | Record<string, [Buffer, Buffer[]][]> | null;
      const reply = await mapped.sendCommand<Streams>(command, { typeMapping: { 36: Buffer } });
      if (reply === null) break;
      const all = reply instanceof Map ? [...reply] : Object.entries(reply);
      for (const [key, entries] of all) {
        for (const [id, fields] of entries) {
          last.set(String(key), String(id));
          arrived(fields[1]!);
        }
      }
    }
  } else {
    await Promise.all(
      keys.map(async (key) => {
        let after = '-';
        for (let seen = 0; seen < tokens;) {
          await pause(100);
          const page = await client.sendCommand<[Buffer, Buffer[]][]>(['XRANGE', key, after, '+'], {
            typeMapping: { 36: Buffer },
          });
          for (const [id, fields] of page) {
            seen += 1;
            after = `(${String(id)}`;
            arrived(fields[1]!);
          }
        }
      }),
    );
  }
}
