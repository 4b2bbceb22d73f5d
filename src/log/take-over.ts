import { ProducerLostError } from '../errors.js';
import type { RetryEvent } from '../events.js';
import { placeOf } from './entry-id.js';
import type { EntryId, JoinAnswer, LogClaim, LogState } from './invocation-log.js';
import { createToken } from './key-room.js';
import { decodeOpening, encodeOpening } from './log-records.js';
import type { OpenInvocation } from './production.js';
import type { ReaderOutlet } from './reader-outlet.js';
import { replayAfter } from './replayed-source.js';

/** The options of a consumer that may produce. */
export interface ProducerOptions {
  readonly open: OpenInvocation;
  readonly lingerMs: number;
  readonly ttlMs: number;
  readonly leaseMs: number;
  readonly maxReplayBytes: number;
  /** How this consumer goes on after a loss. Absent if it does not. */
  readonly takeOver?: 'restart' | 'replay' | 'continue';
}

type TakeOverMode = NonNullable<ProducerOptions['takeOver']>;

/** A loss, and how to go on after it. */
export interface Loss {
  readonly producer: ProducerOptions;
  readonly mode: TakeOverMode;
  /** The entry that tells of the loss. */
  readonly lost: EntryId;
  readonly error: ProducerLostError;
}

interface Granted {
  readonly answer: JoinAnswer;
  readonly attempt: number;
  readonly replayed?: ReturnType<typeof replayAfter> | undefined;
}

/** Makes the claim of a consumer that comes first. */
export function firstClaim(options: ProducerOptions): LogClaim {
  return claimOf(options, 1, undefined, { over: ['failed', 'abandoned', 'lost'], generation: 'new' });
}

/** Begins to produce in the reader's async context, where its claim was granted. */
export function produceAs(
  outlet: ReaderOutlet,
  { open, lingerMs, maxReplayBytes }: ProducerOptions,
  { owner }: LogClaim,
  { answer, attempt, replayed }: Granted,
): void {
  const { room } = outlet;
  const { claimed, state } = answer;
  room.learn(state);
  if (!claimed) return;
  const init = { owner, state, open, lingerMs, maxReplayBytes, attempt, ...(replayed && { replayed }) };
  outlet.run((it) => room.produce(it), init);
}

/** Tries to become the producer after a loss, in competition with the readers of all machines. */
export function takeOver(outlet: ReaderOutlet, { producer, mode, lost, error }: Loss): void {
  const { room, reader, cursor } = outlet;
  const fail = (failure: unknown): void => outlet.fail(failure);
  const gone = (): void => fail(new ProducerLostError({ key: error.key, position: error.position, reason: 'log' }));

  room.calls.inspect().subscribe({
    next(state) {
      if (outlet.isClosed) return;
      if (state === undefined) {
        gone();
      } else if (state.last !== lost) {
        // Another process was faster.
        room.learn(state);
        reader.poke();
      } else if (mode === 'continue' && error.reason === 'log') {
        // Others have read bytes that the log lacks: what came in their place would have the same positions.
        fail(error);
      } else if (mode === 'replay' && state.trimmed !== undefined && placeOf(state.trimmed).bytes > 0) {
        fail(error);
      } else {
        claimLoss(state);
      }
    },
    error: fail,
  });

  function claimLoss(state: LogState): void {
    const attempt = decodeOpening(state.opening).attempt + 1;
    const { bytes } = placeOf(lost);
    const retry: RetryEvent = {
      type: 'retry',
      attempt,
      delayMs: 0,
      error,
      mode,
      delivered: { chunks: outlet.chunks, bytes },
    };
    const claim = claimOf(producer, attempt, retry, {
      over: ['lost'],
      last: lost,
      generation: mode === 'restart' ? 'new' : 'same',
    });
    const replayed = mode === 'replay' ? replayAfter(room.calls, lost, error) : undefined;
    room.join(cursor.id, claim).subscribe({
      next(answer) {
        if (answer) produceAs(outlet, producer, claim, { answer, attempt, replayed });
        else gone();
        if (!outlet.isClosed) reader.poke();
      },
      error: fail,
    });
  }
}

function claimOf(
  { leaseMs, ttlMs, maxReplayBytes }: ProducerOptions,
  attempt: number,
  retry: RetryEvent | undefined,
  rules: Pick<LogClaim, 'over' | 'last' | 'generation'>,
): LogClaim {
  const opening = encodeOpening({ maxReplayBytes, attempt, ...(retry && { retry }) });
  return { owner: createToken(), opening, leaseMs, ttlMs, ...rules };
}
