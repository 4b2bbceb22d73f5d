import type { Socket } from 'node:net';
import type { PaceReport } from '../concurrency/paced-function.js';
import { startClock } from '../harness/cost.js';
import { httpChunk, makeFrames, responseEnd } from './response-bytes.js';

const token = makeFrames(16).map(httpChunk);

/** Writes streams of 16-byte tokens, all at the same pace. */
export interface Pace {
  /** Begins to write tokens to a response whose head was written. The first token is written at once. */
  join(socket: Socket): void;
  /** Ends all responses. */
  finish(): PaceReport;
}

/**
 * Starts to write tokens at a steady pace. The interval between two tokens of a stream is divided into slots of one
 * millisecond, and the streams are dealt out over the slots. So 1,000 streams of 50 tokens a second make 50 writes each
 * millisecond, and not 1,000 writes every 20 ms. A tick that comes late serves all slots that were due.
 */
export function startPace(tokensPerSecond: number): Pace {
  const slots = Array.from({ length: Math.round(1000 / tokensPerSecond) }, () => [] as Socket[]);
  const cost = startClock();
  const start = performance.now();
  let joined = 0;
  let served = 0;
  let written = 0;

  function write(socket: Socket): void {
    socket.write(token[written++ % token.length]!);
  }

  const ticks = setInterval(() => {
    const due = Math.floor(performance.now() - start);
    for (; served < due; served++) slots[served % slots.length]!.forEach(write);
  }, 1);

  return {
    join(socket) {
      slots[joined++ % slots.length]!.push(socket);
      write(socket);
    },
    finish() {
      clearInterval(ticks);
      for (const socket of slots.flat()) socket.write(responseEnd);
      const { cpuMs, wallMs } = cost();
      return { written, cpuSecondsPerSecond: cpuMs / wallMs };
    },
  };
}
