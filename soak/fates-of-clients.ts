import { collectResponse, decodeText, shareInvocation, splitLines, toSnapshots } from 'rx-lambda-stream';
import type { ScriptStep } from 'rx-lambda-stream/local';
import { merge, timeout } from 'rxjs';
import { chunkSteps, chunkText, delivered, hasBrought, textOf, truncated } from './fate.js';
import type { Control, Fate, Outcome, Plan } from './fate.js';

/** More than the client will take, which leaves while the server is writing. */
const flood = (plan: Plan): { chunk: string }[] =>
  Array<{ chunk: string }>(500).fill({ chunk: chunkText(plan, plan.chunks) });

/** Leaving at the last chunk: through HTTP, the read that brings it may bring more. */
function flooded(plan: Plan, { events, text }: Outcome): Outcome {
  const whole = delivered(plan, 'left', [true]);
  if (!events.includes('http-head')) return whole;
  const written = whole.text + chunkText(plan, plan.chunks).repeat(500);
  return { ...whole, text: written.slice(0, Math.max(whole.text.length, text.length)) };
}

/** What a function writes to a client that has paused: more than the client's side holds. */
const pacedPiece = 'p'.repeat(16 * 1024);
const pacedChunks = 16;

const pacedScript: Fate['script'] = (plan, _attempt, server) => {
  void server.tellWritten(plan.chunkBytes + pacedChunks * pacedPiece.length);
  const pieces = Array<ScriptStep>(pacedChunks).fill({ chunk: pacedPiece });
  return [...chunkSteps(plan, 0, 1), { waitFor: server.go() }, ...pieces, { waitFor: server.go(2) }, { complete: {} }];
};

/** Pauses at the first chunk, has the function write more then, and does something when that is written. */
const pause =
  (whenWritten: (stream: Control) => void): NonNullable<Fate['act']> =>
  (moment, stream, plan) => {
    if (moment === 'written') whenWritten(stream);
    if (!hasBrought(moment, stream, plan, 1)) return;
    stream.pause(true);
    stream.go();
  };

const leaveAtLastChunk: Fate['act'] = (moment, stream, plan) => hasBrought(moment, stream, plan) && stream.leave();

const leaveAfterLastChunk: Fate['act'] = (moment, stream, plan) =>
  hasBrought(moment, stream, plan) && setImmediate(() => stream.leave());

const share: Fate['consume'] = (events) => {
  const shared = events.pipe(shareInvocation());
  const texts = merge(shared.pipe(decodeText()), shared.pipe(splitLines()));
  return merge(texts, shared.pipe(collectResponse()), shared.pipe(toSnapshots()));
};

/** Fates that the client decides (it leaves, pauses, shares, or waits no longer) or the way. Any door has them. */
export const fatesOfClients: Readonly<Record<string, Fate>> = {
  'is left at once': {
    isAlone: true,
    script: () => [],
    act: (moment, stream) => moment === 'subscribed' && stream.leave(),
    outcome: () => ({ events: '', text: '', end: 'left', requests: [] }),
  },
  'is left at any moment': {
    isAlone: true,
    script: (plan) => [...chunkSteps(plan).flatMap((step) => [step, { waitMs: 2 }]), 'stall'],
    act: (moment, stream, { id }) => moment === 'subscribed' && setTimeout(() => stream.leave(), id % 23),
    outcome: (plan, { events, text, requests }) => ({
      events: /^(head( http-head)?( (\d|chunks))?)?$/.test(events) ? events : 'the beginning of a stream',
      text: textOf(plan).slice(0, text.length),
      end: 'left',
      // The request may not have been sent yet.
      requests: requests.length === 0 && text === '' ? [] : [true],
    }),
  },
  'is left before the headers': {
    script: (_plan, _attempt, server) => [{ waitFor: server.go() }, 'flush', 'stall'],
    act(moment, stream) {
      if (moment !== 'arrived') return;
      stream.leave();
      // Node's fetch may have lost its abort signal. It then lets the connection go at the headers:
      // https://github.com/nodejs/undici/issues/3644.
      stream.go();
    },
    outcome: () => ({ events: '', text: '', end: 'left', requests: [true] }),
  },
  'is left at the headers': {
    script: () => ['flush', 'stall'],
    act: (moment, stream) => typeof moment === 'object' && moment.type === 'head' && stream.leave(),
    outcome: () => ({ events: 'head', text: '', end: 'left', requests: [true] }),
  },
  'is left while the server writes': {
    script: (plan) => [...chunkSteps(plan), ...flood(plan), 'stall'],
    act: leaveAtLastChunk,
    outcome: flooded,
  },
  'is left within a burst': {
    script: (plan) => [{ batch: [...chunkSteps(plan), ...flood(plan).slice(0, 40)] }, 'stall'],
    act: leaveAtLastChunk,
    outcome: flooded,
  },
  'is left idle': {
    script: (plan) => [...chunkSteps(plan), 'stall'],
    act: leaveAfterLastChunk,
    outcome: (plan) => delivered(plan, 'left', [true]),
  },
  'is left while paused': {
    script: pacedScript,
    act: pause((stream) => stream.leave()),
    outcome: (plan) => ({ events: 'head 1', text: textOf(plan, 0, 1), end: 'left', requests: [true] }),
  },
  'is paused and resumed': {
    script: pacedScript,
    act: pause((stream) => {
      stream.pause(false);
      stream.go();
    }),
    outcome: (plan) => ({
      events: `head ${1 + pacedChunks} complete`,
      text: textOf(plan, 0, 1) + pacedPiece.repeat(pacedChunks),
      end: 'completed',
      requests: [false],
    }),
  },
  'is timed out': {
    through: () => timeout({ first: 60_000, each: 10 }),
    script: () => ['flush', 'stall'],
    outcome: (_plan, { events }) => ({
      events: events === 'head http-head' ? events : 'head',
      text: '',
      end: 'timed out',
      requests: [true],
    }),
  },
  'completes without a byte': {
    script: () => ['flush', { complete: {} }],
    outcome: () => ({ events: 'head complete', text: '', end: 'completed', requests: [false] }),
  },
  'is reset': {
    script: (plan, _attempt, server) => [...chunkSteps(plan), { waitFor: server.go() }, 'reset'],
    act: (moment, stream, plan) => hasBrought(moment, stream, plan) && stream.go(),
    outcome: (plan) => delivered(plan, truncated(plan, 'broke')),
  },
  'is reset unanswered': {
    script: () => ['reset'],
    outcome: () => ({ events: '', text: '', end: 'a broken connection', requests: [false] }),
  },
  'is shared': {
    script: (plan) => [...chunkSteps(plan), { complete: {} }],
    consume: share,
    outcome: (plan) => delivered(plan, 'completed', [false], ' complete'),
  },
  'is shared and left': {
    script: (plan) => [...chunkSteps(plan), 'stall'],
    consume: share,
    act: leaveAfterLastChunk,
    outcome: (plan) => delivered(plan, 'left', [true]),
  },
};
