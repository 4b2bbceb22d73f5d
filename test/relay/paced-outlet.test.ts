import type { Context } from 'rxjs-marbles';
import { Subject } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { Exchange } from '../../src/relay/exchange.js';
import { createPacedOutlet, type PacedOutletInit } from '../../src/relay/paced-outlet.js';
import { marbles } from '../support/marbles.js';

const decoder = new TextDecoder();
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What waits for the client once it takes nothing more, in bytes. */
const held = 10;

/**
 * Plays what happens to an outlet, and draws what it sends: `p` a ping, `e` the end, `x` a cut. Errors are kept in
 * `dropped`.
 */
function play(m: Context, actions: string, options: Partial<PacedOutletInit> = {}) {
  const sent = new Subject<string>();
  const dropped: Error[] = [];
  let drained = (): void => undefined;
  let waiting = 0;
  const exchange: Pick<Exchange, 'open'> = {
    open(_status, _headers, onDrained) {
      drained = onDrained;
      return {
        write(bytes) {
          const text = decoder.decode(bytes);
          sent.next(text);
          if (text === 'f') waiting = held;
          return waiting === 0;
        },
        waiting: () => waiting,
        end: () => sent.next('e'),
        cut: () => sent.next('x'),
      };
    },
  };
  const outlet = createPacedOutlet({
    exchange: exchange as Exchange,
    ping: bytesOf('p'),
    pingMs: 5,
    stalledMs: 10,
    maxWaitingBytes: 100,
    begin: () => outlet.open(200, {}),
    drop: (error) => dropped.push(error),
    ...options,
  });
  const acts: Record<string, () => void> = {
    /** The answer begins. */
    o() {
      outlet.open(200, {});
    },
    /** It has not begun, and may be silent for long. */
    s() {
      outlet.stayAwake();
    },
    /** A message that the client takes, and one that it does not. */
    w() {
      outlet.write([bytesOf('w')]);
    },
    f() {
      outlet.write([bytesOf('f')]);
    },
    /** The client takes a part of what waits, or all of it. */
    t() {
      waiting /= 2;
    },
    d() {
      waiting = 0;
      drained();
    },
    e() {
      outlet.end();
      outlet.rest();
    },
    l() {
      outlet.rest();
      outlet.leave();
    },
  };
  // In the end it leaves: pings would go on for ever.
  m.hot<string>(`${actions}l`).subscribe((act) => acts[act]?.());
  return { sent, dropped, paused: outlet.paused };
}

describe('pings', () => {
  test(
    'come after a silence, counted from the last message',
    marbles((m) => {
      const { sent } = play(m, '    -o--w--w------------');
      m.expect(sent).toBeObservable('----w--w----p----p--');
    }),
  );

  test(
    'are not sent while the client takes nothing',
    marbles((m) => {
      const { sent } = play(m, '    -o-f-------d----------', { stalledMs: Infinity });
      m.expect(sent).toBeObservable('---f---------p----p---');
    }),
  );

  test(
    'begin an answer that is silent before its first event',
    marbles((m) => {
      const { sent } = play(m, '    -s----------w--');
      m.expect(sent).toBeObservable('------p----pw--');
    }),
  );

  test(
    'end with the stream',
    marbles((m) => {
      const { sent } = play(m, '    -o------e---------');
      m.expect(sent).toBeObservable('------p-e---------');
    }),
  );
});

describe('a client that takes nothing', () => {
  test(
    'pauses the source until it has taken all',
    marbles((m) => {
      const { paused } = play(m, '    -o-f---d-f----d--');
      m.expect(paused).toBeObservable('n--y---n-y----n--', { y: true, n: false });
    }),
  );

  test(
    'is cut off after stalledMs',
    marbles((m) => {
      const { sent, dropped } = play(m, '-o-f--------------', { pingMs: Infinity });
      m.expect(sent).toBeObservable('   ---f---------x----');
      m.flush();
      expect(dropped).toMatchObject([{ name: 'StalledClientError', message: /10 ms; 10 bytes/ }]);
    }),
  );

  test(
    'is not cut off while it takes a little',
    marbles((m) => {
      const { sent, dropped } = play(m, '-o-f-----t----------t---------t---------d-----------', { pingMs: Infinity });
      m.expect(sent).toBeObservable('   ---f-----------------------------------------------');
      m.flush();
      expect(dropped).toEqual([]);
    }),
  );

  test(
    'is cut off after the end too, while the rest waits',
    marbles((m) => {
      const { sent, dropped } = play(m, '-o-fe-------------', { pingMs: Infinity });
      m.expect(sent).toBeObservable('   ---fe---------x---');
      m.flush();
      expect(dropped).toHaveLength(1);
    }),
  );

  test(
    'is cut off at once where more waits than may',
    marbles((m) => {
      const { sent, dropped } = play(m, '-o-f---', { maxWaitingBytes: held - 1 });
      m.expect(sent).toBeObservable('   ---(fx)');
      m.flush();
      expect(dropped).toMatchObject([{ name: 'ResponseTooLargeError' }]);
    }),
  );

  test(
    'and has left is watched no more',
    marbles((m) => {
      const { sent, dropped } = play(m, '-o-f--l-----------------', { pingMs: Infinity });
      m.expect(sent).toBeObservable('   ---f--------------------');
      m.flush();
      expect(dropped).toEqual([]);
    }),
  );
});
