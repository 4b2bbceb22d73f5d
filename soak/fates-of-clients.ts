import { collectResponse, decodeText, shareInvocation, splitLines, toSnapshots } from 'rx-lambda-stream';
import type { ScriptStep } from 'rx-lambda-stream/local';
import { merge } from 'rxjs';
import { isLastChunk, type Control, type Fate, type Moment, type Outcome } from './fate.js';
import { chunkSteps, chunkText, textOf, type Plan } from './plan.js';

/** What comes of a stream that is left when it has brought so many chunks. */
function left(plan: Plan, chunks: number): Outcome {
  return { events: `head ${chunks}`, text: textOf(plan, 0, chunks), end: 'left', requests: [true] };
}

/** How many chunks the server writes to a client that leaves while it is writing: more than it will take. */
const floodChunks = 500;

function flood(plan: Plan): ScriptStep[] {
  const more = { chunk: chunkText(plan, plan.chunks) };
  return [...chunkSteps(plan), ...Array<ScriptStep>(floodChunks).fill(more), 'stall'];
}

const isHead = (moment: unknown): boolean => (moment as { type?: string }).type === 'head';
const afterThisTurn = (act: () => void): unknown => setImmediate(act);

/** The function writes more then, and tells when it has. */
function pauseAtFirstChunk(moment: Moment, stream: Control): void {
  if (typeof moment !== 'object' || moment.type !== 'chunk' || stream.chunks > 1) return;
  stream.pause(true);
  stream.go();
}

/** Fates that the client decides: it leaves, pauses or shares. */
export const fatesOfClients: Readonly<Record<string, Fate>> = {
  'is left at once': {
    isAlone: true,
    script: () => [],
    act: (moment, stream) => moment === 'subscribed' && stream.leave(),
    outcome: () => ({ events: '', text: '', end: 'left', requests: [] }),
  },
  'is left before the headers': {
    script: (_plan, _attempt, go) => [{ waitFor: go }, 'flush', 'stall'],
    act(moment, stream) {
      if (moment !== 'arrived') return;
      stream.leave();
      // Node's fetch may have lost its abort signal, and lets the connection go when the headers are there:
      // https://github.com/nodejs/undici/issues/3644.
      stream.go();
    },
    outcome: () => ({ events: '', text: '', end: 'left', requests: [true] }),
  },
  'is left at the headers': {
    script: () => ['flush', 'stall'],
    act: (moment, stream) => isHead(moment) && stream.leave(),
    outcome: () => ({ events: 'head', text: '', end: 'left', requests: [true] }),
  },
  'is left while the server writes': {
    script: flood,
    act: (moment, stream, plan) => isLastChunk(moment, stream, plan) && stream.leave(),
    outcome: (plan) => left(plan, plan.chunks),
  },
  'is left within a burst': {
    script: (plan) => [{ batch: flood(plan).slice(0, 50) as never }, 'stall'],
    act: (moment, stream, plan) => isLastChunk(moment, stream, plan) && stream.leave(),
    outcome: (plan) => left(plan, plan.chunks),
  },
  'is left idle': {
    script: (plan) => [...chunkSteps(plan), 'stall'],
    act: (moment, stream, plan) => isLastChunk(moment, stream, plan) && afterThisTurn(() => stream.leave()),
    outcome: (plan) => left(plan, plan.chunks),
  },
  'is left while paused': {
    act(moment, stream) {
      if (moment === 'written') stream.leave();
      else pauseAtFirstChunk(moment, stream);
    },
    outcome: (plan) => left(plan, 1),
  },
  'is paused and resumed': {
    act(moment, stream) {
      if (moment === 'written') {
        stream.pause(false);
        stream.go();
      } else {
        pauseAtFirstChunk(moment, stream);
      }
    },
    outcome: (plan) => ({
      events: `head ${1 + pacedChunks} complete`,
      text: textOf(plan, 0, 1) + pacedPiece.repeat(pacedChunks),
      end: 'completed',
      requests: [false],
    }),
  },
  'is shared': {
    script: (plan) => [...chunkSteps(plan), { complete: {} }],
    consume: (events) => share(events),
    outcome: (plan) => ({
      events: `head ${plan.chunks} complete`,
      text: textOf(plan),
      end: 'completed',
      requests: [false],
    }),
  },
  'is shared and left': {
    script: (plan) => [...chunkSteps(plan), 'stall'],
    consume: (events) => share(events),
    act: (moment, stream, plan) => isLastChunk(moment, stream, plan) && afterThisTurn(() => stream.leave()),
    outcome: (plan) => left(plan, plan.chunks),
  },
};

const share: NonNullable<Fate['consume']> = (events) => {
  const shared = events.pipe(shareInvocation());
  return merge(
    shared.pipe(decodeText()),
    shared.pipe(splitLines()),
    shared.pipe(collectResponse()),
    shared.pipe(toSnapshots()),
  );
};

/** What the `paced` function writes to a client that has paused: more than the client's side holds. */
export const pacedPiece = 'p'.repeat(16 * 1024);
export const pacedChunks = 16;
