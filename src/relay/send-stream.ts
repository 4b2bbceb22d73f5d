import { Subscription, type Observable } from 'rxjs';
import type { HeadEvent, LambdaStreamEvent } from '../events.js';
import { defined } from '../shared/defined.js';
import type { Exchange } from './exchange.js';
import { answerFailure, readable, type FailureAnswer } from './failure-answer.js';
import { createFrameFormat, endsPlainFrames, openHead } from './frame-format.js';
import { createPacedOutlet } from './paced-outlet.js';
import type { AnswerFormat, Place } from './read-call.js';
import { createSseFormat } from './sse-format.js';
import { generationOf, isRestart, type StreamEvent } from './stream-format.js';

/** The arguments of {@link sendStream}. */
export interface StreamInit {
  readonly exchange: Exchange;
  readonly format: AnswerFormat;
  readonly expose: 'all' | undefined;
  /** Whether the invocation has a key, so that a client can come back with a position. */
  readonly isKeyed: boolean;
  readonly place: Place | undefined;
  /** Makes the invocation, from the client's place on. */
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

/**
 * Sends an invocation to one client, at the client's pace, until it ends or the client leaves.
 *
 * An answer of frames begins with the first event, so that a failure before it has an HTTP status of its own. An answer
 * of server-sent events begins at once, because EventSource never reconnects after any status except 200.
 *
 * @returns The stream. Unsubscribing cuts the client off.
 */
export function sendStream(init: StreamInit): Subscription {
  const { exchange, expose, isKeyed, place, pingMs, stalledMs } = init;
  const isSse = init.format === 'sse';
  const startPosition = place && `${place.generation}-${place.bytes}`;
  const format = isSse
    ? createSseFormat(startPosition ?? (isKeyed ? undefined : '0-0'), expose)
    : createFrameFormat({ isRx: init.format === 'rx-frames', expose });
  const stream = new Subscription();
  let ended = false;
  /** The generation whose bytes the client has. */
  let generation = place?.generation;
  let bytes = 0;
  const outlet = createPacedOutlet({
    exchange,
    ping: format.ping,
    pingMs,
    stalledMs,
    maxWaitingBytes: init.maxWaitingBytes,
    // A ping needs an answer that has begun.
    begin: () => openFrames(),
    drop(error) {
      init.onError(error);
      finish();
    },
  });

  function open(status: number, headers: Readonly<Record<string, string>>): void {
    outlet.open(status, { ...init.headers, 'content-type': format.contentType, ...headers });
  }

  /** Ends the sending. Waiting bytes are still sent, unless the client stalls. */
  function finish(): void {
    ended = true;
    stream.unsubscribe();
  }

  function end(pieces: readonly Uint8Array[]): void {
    outlet.write(pieces);
    if (ended) return;
    outlet.end();
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

  /** Sends an event. The first one begins the answer: a head event becomes the answer's own head. */
  function begin(event: StreamEvent): void {
    if (outlet.isOpen()) tell(event);
    else if (event.type === 'head') openFrames(event);
    // Before the head, a new attempt changes nothing for the client.
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
    else outlet.write(format.event(event));
  }

  function tellPlace(position: string): void {
    const block = format.place(position);
    if (block) outlet.write([block]);
  }

  function openFrames(event?: HeadEvent): void {
    const { statusCode, executedVersion, contentType, requestId } = event ? openHead(event, expose) : noHead;
    const headers = defined({
      'x-amz-executed-version': asHeader(executedVersion),
      'x-amzn-requestid': asHeader(requestId),
      'x-amzn-remapped-content-type': asHeader(contentType),
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
    if (outlet.isOpen()) end(format.failure(error));
    else {
      finish();
      init.answerFailure(answerFailure(error, expose, place !== undefined));
    }
  }

  stream.add(() => {
    if (!ended) outlet.cut(new Error('The relay is closing'));
    ended = true;
    outlet.rest();
  });
  const leave = (): void => {
    ended = true;
    outlet.leave();
    stream.unsubscribe();
  };
  exchange.signal.addEventListener('abort', leave, { once: true });
  if (isSse) {
    open(200, {});
    if (format.opening) outlet.write([format.opening]);
  } else if (place !== undefined) {
    // A client that comes back knows its invocation. So a silence before the head begins its answer, with a ping.
    outlet.stayAwake();
  }
  let events: Observable<LambdaStreamEvent & { readonly position?: string }>;
  try {
    events = init.events(outlet.paused);
  } catch (error) {
    fail(error);
    return stream;
  }
  stream.add(
    events.subscribe({
      next: receive,
      error: fail,
      complete() {
        // An accepted DryRun completes without a `complete` event.
        if (ended) return;
        begin({ type: 'complete', position: `${generation ?? 0}-${bytes}` });
      },
    }),
  );
  // Subscribed to after the claim, so that it emits the position of this invocation and not of an earlier one.
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

/** Returns a valid header value unchanged. Returns undefined for any other, because setting it would throw. */
function asHeader(value: string | undefined): string | undefined {
  return value !== undefined && /^[ -~\u00a0-\u00ff]*$/.test(value) ? value : undefined;
}

function restartAt(position: string): StreamEvent {
  const delivered = { chunks: 0, bytes: 0 };
  return { type: 'retry', mode: 'restart', attempt: 2, delayMs: 0, error: undefined, delivered, position };
}
