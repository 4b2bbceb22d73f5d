/** One process of this part: writes or reads token streams, as its task says, and tells what that took. */
import { createClient } from 'redis';
import { Subject } from 'rxjs';
import type { LambdaStreamEvent } from '../../src/index.js';
import { followInvocation, joinInvocation } from '../../src/log/index.js';
import { decodeMessage } from '../../src/redis/entry-codec.js';
import { redisLog } from '../../src/redis/index.js';
import { chunkEvent, headEvent } from '../../src/testing/index.js';
import { largeBytes, largeKey, lateJoiners, type Order, type Report, type Role, type Task } from './protocol.js';
import { pace, TokenCount, tokenMaker } from './tokens.js';

interface Work {
  /** Resolves when all streams are there, or read. */
  open(): Promise<unknown>;
  go?(): void;
}

const task = JSON.parse(process.argv[2] ?? '') as Task;
const { role, port, streams, perSecond, tokenBytes, followers } = task;
const client = await createClient({ url: `redis://127.0.0.1:${port}` }).connect();
const keys = Array.from({ length: streams }, (_, index) => `stream ${index}`);
const token = tokenMaker(tokenBytes);
const count = new TokenCount(tokenBytes);

const works: Readonly<Record<Role, () => Work>> = {
  'log-producer': () => {
    const log = redisLog({ client });
    const sources = new Map([...keys, largeKey].map((key) => [key, new Subject<LambdaStreamEvent>()]));
    return {
      // A consumer each, so that nobody is abandoned.
      open: () => Promise.all([...sources].map(([key, source]) => firstOf(key, source))),
      go() {
        const ofKeys = keys.map((key) => sources.get(key)!);
        pace(streams, perSecond, (stream) => ofKeys[stream]!.next(chunkEvent(token())));
      },
    };

    function firstOf(key: string, source: Subject<LambdaStreamEvent>): Promise<void> {
      return new Promise((resolve, reject) => {
        let bytes = 0;
        joinInvocation(log, key, () => source, { maxReplayBytes: 2 * largeBytes }).subscribe({
          next(event) {
            if (event.type === 'chunk') bytes += event.payload.length;
            if (key !== largeKey || bytes === largeBytes) resolve();
            else if (event.type === 'head' || bytes % (512 * 1024) === 0) nextLarge();
          },
          error: reject,
        });
        const waiting = setInterval(() => {
          if (!source.observed) return;
          clearInterval(waiting);
          source.next(headEvent());
        }, 1);
        const nextLarge = (): void => {
          queueMicrotask(() => {
            for (let index = 0; index < 8; index++) source.next(chunkEvent(new Uint8Array(64 * 1024)));
          });
        };
      });
    }
  },

  'log-reader': () => {
    const log = redisLog({ client });
    return {
      open: () =>
        Promise.all(
          keys.flatMap((key) =>
            Array.from(
              { length: followers },
              () =>
                new Promise<void>((resolve, reject) => {
                  followInvocation(log, key).subscribe({
                    next: (event) => (event.type === 'chunk' ? count.add(event.payload) : resolve()),
                    error: reject,
                  });
                }),
            ),
          ),
        ),
    };
  },

  'late-joiners': () => {
    const log = redisLog({ client });
    return {
      open: () => works['log-reader']().open(),
      go() {
        for (let index = 0; index < lateJoiners; index++) followInvocation(log, largeKey).subscribe();
      },
    };
  },

  'subscribe-reader': () => {
    const countMessage = (message: Buffer): void => {
      // `e` is a message of entries.
      if (message[0] !== 0x65) return;
      for (const { record, payload } of decodeMessage(message)) if (record === '') count.add(payload);
    };
    return {
      async open() {
        const subscriber = await client.duplicate().connect();
        await Promise.all(keys.map((key) => subscriber.subscribe(`rx:{${key}}:live`, countMessage, true)));
      },
    };
  },

  'xadd-producer': () => ({
    open: () => Promise.resolve(),
    go: () =>
      pace(streams, perSecond, (stream) => {
        void client.sendCommand(['XADD', keys[stream]!, '*', 'b', Buffer.from(token().buffer)], options);
      }),
  }),

  'xread-reader': () => {
    const last = new Map(keys.map((key) => [key, '0-0']));
    const readOn = async (): Promise<never> => {
      for (;;) {
        const command = ['XREAD', 'COUNT', '100', 'BLOCK', '0', 'STREAMS', ...last.keys(), ...last.values()];
        const reply = await client.sendCommand<Record<string, Page>>(command, options);
        for (const [key, page] of Object.entries(reply)) last.set(key, take(page) ?? '0-0');
      }
    };
    return {
      open() {
        void readOn();
        return Promise.resolve();
      },
    };
  },

  'poll-reader': () => {
    const poll = async (key: string): Promise<never> => {
      let after = '-';
      for (;;) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        const newest = take(await client.sendCommand<Page>(['XRANGE', key, after, '+'], options));
        if (newest !== undefined) after = `(${newest}`;
      }
    };
    return {
      open() {
        for (const key of keys) void poll(key);
        return Promise.resolve();
      },
    };
  },
};

type Page = [id: Buffer, fields: Buffer[]][];

/** `36` is RESP's bulk string, as the client numbers it. */
const options = { typeMapping: { 36: Buffer }, timeout: 0 };

/** Counts the tokens of a page, and returns the newest id. */
function take(page: Page): string | undefined {
  for (const [, fields] of page) count.add(fields[1]!);
  return page.at(-1)?.[0].toString();
}

const work = works[role]();
let before = process.cpuUsage();
process.on('message', ({ order }: Order) => {
  switch (order) {
    case 'open':
      void work.open().then(() => process.send?.({ done: true }));
      break;
    case 'go':
      work.go?.();
      break;
    case 'measure':
      count.reset();
      before = process.cpuUsage();
      break;
    case 'report':
      process.send?.({ report: report() });
  }
});
process.send?.({ ready: true });

function report(): Report {
  const { user, system } = process.cpuUsage(before);
  const lags = count.lags.sort((a, b) => a - b);
  const at = (part: number): number => lags[Math.min(lags.length - 1, Math.floor(lags.length * part))] ?? NaN;
  const { tokens, bytes } = count;
  return { tokens, bytes, cpuMs: (user + system) / 1000, p50: at(0.5), p99: at(0.99), max: at(1) };
}
