import { asyncScheduler, Observable, Subscription } from 'rxjs';
import { ProtocolError, TruncatedStreamError } from '../errors.js';
import type { ChunkEvent, HeadEvent, HttpHeadEvent, LambdaStreamEvent, RetryEvent, UnknownEvent } from '../events.js';
import { createEventDelivery } from '../invoke/event-delivery.js';
import type { InvokeCommandInput } from '../invoke/invoke-input.js';
import type { BodyReader } from '../invoke/read-body.js';
import { streamEvents } from '../invoke/stream-events.js';
import { parseJsonObject } from '../invoke/to-event.js';
import { defined } from '../shared/defined.js';
import { readRelayError, toRelayedError } from './relay-error.js';
import { sendToRelay, type RelayTarget } from './relay-request.js';

/** The state of one subscription, over all its connections. */
export interface RelaySession {
  readonly target: RelayTarget;
  readonly input: InvokeCommandInput;
  readonly functionErrors: 'throw' | 'emit';
  /** The generation from `x-rx-invocation`, or from the position `after`. Undefined while no key is known. */
  generation: string | undefined;
  /** How many bytes of the generation's payload were delivered. */
  bytes: number;
  /** Whether the relay has answered with `x-rx-invocation`. Only then the client can reconnect. */
  isKeyed: boolean;
  paused: boolean;
  /** How long a connection to a keyed invocation may be silent, in milliseconds. */
  readonly silenceMs: number;
  /** The chunks and bytes that were delivered since the last restart. */
  delivered: { chunks: number; bytes: number };
  /** The connection that is read now. */
  body: BodyReader | undefined;
}

/** A connection that was lost, or that the relay refuses for now. The invocation may go on without it. */
export class ConnectionLost {
  constructor(readonly error: unknown) {}
}

/** The statuses after which a request is sent again. */
const passingStatuses = new Set([429, 502, 503, 504]);

/** Returns the position after the delivered bytes. Undefined while no generation is known. */
export function positionOf({ generation, bytes }: RelaySession): string | undefined {
  return generation === undefined ? undefined : `${generation}-${bytes}`;
}

/**
 * Reads one connection to a relay, from the session's position on. Errors with a {@link ConnectionLost} where another
 * connection may go on, and otherwise with the stream's error.
 */
export function connectToRelay(session: RelaySession): Observable<LambdaStreamEvent> {
  return new Observable((subscriber) => {
    const controller = new AbortController();
    let seenAt = asyncScheduler.now();
    let watch = Subscription.EMPTY;
    let opened = false;

    const lose = (error: unknown): void => subscriber.error(new ConnectionLost(error));
    const truncated = (cause?: unknown): void =>
      lose(
        new TruncatedStreamError(
          defined({ ...session.delivered, functionName: String(session.input.FunctionName), cause }),
        ),
      );

    /** Counts the connection as lost after a silence. One timer serves all events. A pause is not a silence. */
    function watchForSilence(delayMs: number): void {
      if (session.silenceMs === Infinity) return;
      watch.unsubscribe();
      watch = asyncScheduler.schedule(() => {
        const left = session.paused ? session.silenceMs : seenAt + session.silenceMs - asyncScheduler.now();
        if (left > 0) watchForSilence(left);
        else truncated(new Error(`The relay was silent for ${session.silenceMs} ms`));
      }, delayMs);
    }

    function take(event: LambdaStreamEvent): void {
      seenAt = asyncScheduler.now();
      if (event.type === 'unknown' && event.eventType.startsWith('Rx')) takeOwn(event);
      else subscriber.next(event);
    }

    /** Takes an event that only relays send. Ignores events of later versions. */
    function takeOwn({ eventType, payload }: UnknownEvent): void {
      if (eventType === 'RxRestart') restart(parseJsonObject(payload, eventType));
      else if (eventType === 'RxEvent') {
        const event = readOwnEvent(parseJsonObject(payload, eventType));
        if (event) subscriber.next(event);
      }
    }

    function restart(told: Readonly<Record<string, unknown>>): void {
      const generation = String(told['generation']);
      // The header of the answer has already told this generation.
      if (generation === session.generation) return;
      if (!/^\d+$/.test(generation)) throw new ProtocolError('A restart names no generation');
      begin(generation, toRetryEvent({ ...told, mode: 'restart' }));
    }

    /** Begins another generation, whose bytes count from 0, and emits the retry event. */
    function begin(generation: string, event: RetryEvent): void {
      const delivered = session.delivered;
      Object.assign(session, { generation, bytes: 0, delivered: { chunks: 0, bytes: 0 } });
      subscriber.next({ ...event, delivered });
    }

    function readAnswer(response: Response): void {
      opened = true;
      seenAt = asyncScheduler.now();
      const generation = response.headers.get('x-rx-invocation');
      if (generation !== null && /^\d+$/.test(generation)) {
        session.isKeyed = true;
        watchForSilence(session.silenceMs);
        if (session.generation === undefined) Object.assign(session, { generation, bytes: 0 });
        else if (session.generation !== generation) begin(generation, toRetryEvent({ mode: 'restart' }));
      } else if (session.isKeyed && response.status !== 204) {
        subscriber.error(
          new ProtocolError('The relay does not know its invocation any more: it answered without a key'),
        );
      }
      if (subscriber.closed) {
        void response.body?.cancel().catch(() => undefined);
        return;
      }
      const headers: Record<string, string> = {};
      response.headers.forEach((value, name) => (headers[name] = value));
      const rawResponse = {
        statusCode: response.status,
        headers,
        body: response.body,
        toException: (name: string, members: Readonly<Record<string, unknown>>) =>
          Promise.resolve(toRelayedError(name, members, Number(members['status']) || 200)),
      };
      const events = new Observable<LambdaStreamEvent>((inner) => {
        const { input, functionErrors } = session;
        const delivery = createEventDelivery(String(input.FunctionName), functionErrors, inner);
        function chunk(event: ChunkEvent): void {
          session.delivered.chunks++;
          session.delivered.bytes += event.payload.length;
          session.bytes += event.payload.length;
          inner.next(event);
        }
        // `chunk` counts the bytes over all connections. A cut is not the end, because the client may reconnect.
        session.body = streamEvents({
          response: rawResponse,
          delivery: { ...delivery, chunk, truncated },
          subscriber: inner,
          // `relayedInvoke` enters the subscription's context itself, for all connections.
          runInContext: (callback, argument) => callback(argument),
          abort: () => controller.abort(),
        });
        session.body.setPaused(session.paused);
      });
      subscriber.add(
        events.subscribe({
          next: take,
          error: (error: unknown) => subscriber.error(error),
          complete: () => subscriber.complete(),
        }),
      );
    }

    async function open(): Promise<void> {
      const { target, input } = session;
      const response = await sendToRelay(target, {
        method: 'POST',
        input,
        position: positionOf(session),
        signal: controller.signal,
      });
      if (subscriber.closed) {
        void response.body?.cancel().catch(() => undefined);
      } else if (response.ok) readAnswer(response);
      else {
        const error = await readRelayError(response);
        if (passingStatuses.has(response.status)) lose(error);
        else subscriber.error(error);
      }
    }

    subscriber.add(() => {
      watch.unsubscribe();
      session.body = undefined;
      if (!opened) controller.abort();
    });
    if (session.isKeyed) watchForSilence(session.silenceMs);
    open().catch(lose);
  });
}

function toRetryEvent(told: Readonly<Record<string, unknown>>): RetryEvent {
  const { attempt, delayMs, mode, error } = told;
  const { name, status, ...members } = Object(error) as Readonly<Record<string, unknown>>;
  const count = (value: unknown): number => (typeof value === 'number' ? value : 0);
  const delivered = Object(told['delivered']) as { chunks?: unknown; bytes?: unknown };
  return {
    type: 'retry',
    attempt: count(attempt) || 2,
    delayMs: count(delayMs),
    mode: mode as RetryEvent['mode'],
    delivered: { chunks: count(delivered.chunks), bytes: count(delivered.bytes) },
    error:
      typeof name === 'string'
        ? toRelayedError(name, members, count(status))
        : new Error('Another invocation answers: the one before it is gone'),
  };
}

/** Reads an event that has no frame in Lambda's protocol. Returns undefined for an event of a later version. */
function readOwnEvent(told: Readonly<Record<string, unknown>>): HeadEvent | HttpHeadEvent | RetryEvent | undefined {
  const { type, statusCode, mode } = told;
  if (type === 'retry' && typeof mode === 'string' && ['fresh', 'replay', 'continue'].includes(mode))
    return toRetryEvent(told);
  if (typeof statusCode !== 'number') return undefined;
  if (type === 'head') return { headers: {}, ...told, type, statusCode };
  if (type === 'http-head') return { headers: {}, cookies: [], ...told, type, statusCode };
  return undefined;
}
