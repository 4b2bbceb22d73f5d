import { asyncScheduler, BehaviorSubject, Subscription, type Observable } from 'rxjs';
import { ResponseTooLargeError } from '../errors.js';
import type { HeadEvent, LambdaStreamEvent } from '../events.js';
import { defined } from '../shared/defined.js';
import type { Exchange, Outlet } from './exchange.js';
import { answerFailure, readable, type FailureAnswer } from './failure-answer.js';
import { createFrameFormat, endsPlainFrames, openHead } from './frame-format.js';
import type { AnswerFormat, Place } from './read-call.js';
import { createSseFormat } from './sse-format.js';
import { generationOf, isRestart, type StreamEvent } from './stream-format.js';

/** What a stream needs besides its events. */
export interface StreamInit {
  readonly exchange: Exchange;
  readonly format: AnswerFormat;
  readonly expose: 'all' | undefined;
  /** Whether positions mean something to whoever comes back. */
  readonly isKeyed: boolean;
  readonly place: Place | undefined;
  /** The invocation, or what is left of it. */
  readonly events: (pauseWhile: Observable<boolean>) => Observable<LambdaStreamEvent & { readonly position?: string }>;
  /** Emits the generation's first position as soon as it is known. */
  readonly begun: Observable<string>;
  readonly headers: Readonly<Record<string, string>>;
  readonly pingMs: number;
  readonly stalledMs: number;
  readonly maxWaitingBytes: number;
  readonly answerFailure: (answer: FailureAnswer) => void;
  readonly onError: (error: unknown) => void;
}

const noHead: Partial<HeadEvent> = {};

/** A client took nothing of what waited for it. */
class StalledClientError extends Error {
  override readonly name = 'StalledClientError';
}

/**
 * Sends an invocation to one client, at the client's pace, until it ends or the client leaves.
 *
 * Frames begin with the first event, so that a failure before it has a status of its own. Server-sent events begin at
 * once: EventSource gives up for good on any status but 200.
 *
 * @returns The stream: unsubscribing cuts the client off.
 */
export function sendStream(init: StreamInit): Subscription {
  const { exchange, expose, isKeyed, place, pingMs, stalledMs } = init;
  const isSse = init.format === 'sse';
  const startPosition = place && `${place.generation}-${place.bytes}`;
  const format = isSse
    ? createSseFormat(startPosition ?? (isKeyed ? undefined : '0-0'), expose)
    : createFrameFormat({ isRx: init.format === 'rx-frames', expose });
  const paused = new BehaviorSubject(false);
  const stream = new Subscription();
  let outlet: Outlet | undefined;
  let ended = false;
  /** The generation whose bytes the client has. */
  let generation = place?.generation;
  let bytes = 0;
  let writtenAt = 0;
  let silence = Subscription.EMPTY;
  let stall = Subscription.EMPTY;

  function open(status: number, headers: Readonly<Record<string, string>>): void {
    outlet = exchange.open(status, { ...init.headers, 'content-type': format.contentType, ...headers }, drained);
    stayAwake(pingMs);
  }

  function write(pieces: readonly Uint8Array[]): void {
    if (pieces.length === 0 || outlet === undefined) return;
    let isTaken = true;
    for (const piece of pieces) isTaken = outlet.write(piece);
    writtenAt = asyncScheduler.now();
    if (isTaken) return;
    if (outlet.waiting > init.maxWaitingBytes) {
      // The source did not stop when it was told to.
      drop(
        new ResponseTooLargeError('What waits for a client is over maxReplayBytes', { maxBytes: init.maxWaitingBytes }),
      );
    } else if (!paused.value) {
      watchForStall(outlet.waiting);
      paused.next(true);
    }
  }

  /**
   * Pings after a silence, so that proxies and the client know that the connection lives. One timer runs on, however
   * much is written: a timer a message would cost more than the message (bench/relay).
   */
  function stayAwake(delayMs: number): void {
    if (pingMs === Infinity) return;
    silence.unsubscribe();
    silence = after(delayMs, () => {
      if (outlet === undefined) openFrames();
      const left = writtenAt + pingMs - asyncScheduler.now();
      if (left <= 0 && !paused.value) write([format.ping]);
      if (!ended) stayAwake(left > 0 ? left : pingMs);
    });
  }

  function watchForStall(waiting: number): void {
    if (stalledMs === Infinity) return;
    stall.unsubscribe();
    stall = after(stalledMs, () => {
      const left = outlet?.waiting ?? 0;
      if (left < waiting) watchForStall(left);
      else drop(new StalledClientError(`A client took nothing for ${stalledMs} ms; ${left} bytes waited for it`));
    });
  }

  function drained(): void {
    stall.unsubscribe();
    if (!ended && paused.value) paused.next(false);
  }

  function drop(error: Error): void {
    init.onError(error);
    outlet?.cut(error);
    finish();
  }

  /** Nothing more is sent. What waits still goes out, unless the client stalls. */
  function finish(): void {
    ended = true;
    silence.unsubscribe();
    stream.unsubscribe();
  }

  function end(pieces: readonly Uint8Array[]): void {
    write(pieces);
    if (ended) return;
    outlet?.end();
    const left = outlet?.waiting ?? 0;
    if (left > 0) watchForStall(left);
    finish();
  }

  function receive(event: LambdaStreamEvent & { readonly position?: string }): void {
    if (event.type === 'chunk') bytes += event.payload.length;
    const position = event.position ?? `0-${bytes}`;
    const told = event.position === undefined ? { ...event, position } : (event as StreamEvent);
    if (!isKeyed || generationOf(position) === generation) {
      begin(told);
      return;
    }
    const isKnown = generation !== undefined;
    generation = generationOf(position);
    if (!isKnown) tellPlace(`${generation}-0`);
    else if (!isRestart(told)) begin(restartAt(`${generation}-0`));
    begin(told);
  }

  /** Tells an event. The first one begins the answer, which can hold a head of its own. */
  function begin(event: StreamEvent): void {
    if (outlet !== undefined) tell(event);
    else if (event.type === 'head') openFrames(event);
    // Before the head, an attempt that is made anew changes nothing for the client.
    else if (event.type !== 'retry' || event.mode === 'restart') {
      openFrames();
      tell(event);
    }
  }

  function tell(event: StreamEvent): void {
    if (ended) return;
    if (init.format === 'frames' && endsPlainFrames(event)) {
      const error = new Error('The response began anew');
      error.name = 'RestartedError';
      end(format.failure(error));
    } else if (event.type === 'complete') end(format.event(event));
    else write(format.event(event));
  }

  function tellPlace(position: string): void {
    const block = format.place(position);
    if (block) write([block]);
  }

  function openFrames(event?: HeadEvent): void {
    const { statusCode, executedVersion, contentType, requestId } = event ? openHead(event, expose) : noHead;
    const headers = defined({
      'x-amz-executed-version': executedVersion,
      'x-amzn-requestid': requestId,
      'x-amzn-remapped-content-type': contentType,
      'x-rx-invocation': isKeyed ? generation : undefined,
    });
    if (statusCode !== 204) open(200, headers);
    else {
      // An accepted DryRun has no body.
      exchange.answer(204, { ...init.headers, ...headers });
      finish();
    }
  }

  function fail(thrown: unknown): void {
    if (ended) return;
    init.onError(thrown);
    const error = readable(thrown);
    if (outlet !== undefined) end(format.failure(error));
    else {
      finish();
      init.answerFailure(answerFailure(error, expose, place !== undefined));
    }
  }

  stream.add(() => {
    silence.unsubscribe();
    if (!ended) outlet?.cut(new Error('The relay is closing'));
    ended = true;
  });
  const leave = (): void => {
    ended = true;
    stall.unsubscribe();
    stream.unsubscribe();
  };
  exchange.signal.addEventListener('abort', leave, { once: true });
  if (isSse) {
    open(200, {});
    if (format.opening) write([format.opening]);
  } else if (place !== undefined) {
    // Whoever comes back knows its invocation: before the head too, its answer begins after a silence, with a ping.
    writtenAt = asyncScheduler.now();
    stayAwake(pingMs);
  }
  let events: Observable<LambdaStreamEvent & { readonly position?: string }>;
  try {
    events = init.events(paused.asObservable());
  } catch (error) {
    fail(error);
    return stream;
  }
  stream.add(
    events.subscribe({
      next: receive,
      error: fail,
      complete() {
        // A source that completes without `complete`, as an accepted DryRun does.
        if (ended) return;
        begin({ type: 'complete', position: `${generation ?? 0}-${bytes}` });
      },
    }),
  );
  // After the claim, so that it is this one's place.
  if (isSse && isKeyed && place === undefined) {
    stream.add(
      init.begun.subscribe({
        next(position) {
          if (generation === undefined) tellPlace(position);
        },
        error: fail,
      }),
    );
  }
  return stream;
}

function restartAt(position: string): StreamEvent {
  const delivered = { chunks: 0, bytes: 0 };
  return { type: 'retry', mode: 'restart', attempt: 2, delayMs: 0, error: undefined, delivered, position };
}

/** Runs an action later, by RxJS's clock. */
function after(delayMs: number, action: () => void): Subscription {
  return asyncScheduler.schedule(action, delayMs);
}
