import type { Subscriber } from 'rxjs';
import { HttpStatusError, ProtocolError } from '../errors.js';
import type { ChunkEvent, HttpHeadEvent, LambdaStreamEvent } from '../events.js';
import { createByteCollector, type ByteCollector } from '../shared/byte-collector.js';
import { assertAttached } from '../shared/bytes.js';
import { payloadOf, type ItemReader } from '../shared/payload.js';
import { createHeldEvents, type HeldEvents } from './held-events.js';
import {
  announcesPrelude,
  createPreludeScanner,
  maxPreludeBytes,
  parsePrelude,
  preludeDelimiterBytes,
} from './http-prelude.js';

/** What the next bytes belong to. The events in `held` are either a prelude or body. */
type Phase =
  | { readonly name: 'prelude'; readonly scan: ReturnType<typeof createPreludeScanner>; readonly held: HeldEvents }
  | { readonly name: 'failure'; readonly head: HttpHeadEvent; readonly body: ByteCollector }
  | { readonly name: 'body' };

const bodyPhase: Phase = { name: 'body' };

function preludePhase(): Phase {
  return { name: 'prelude', scan: createPreludeScanner(), held: createHeldEvents(maxPreludeBytes) };
}

/**
 * Makes the decoder of one subscription.
 *
 * @param isFailure - Tells the statuses that are failures. Undefined where no status is a failure.
 */
export function createHttpResponseDecoder(
  subscriber: Subscriber<LambdaStreamEvent>,
  isFailure: ((statusCode: number) => boolean) | undefined,
  maxErrorBodyBytes: number,
): ItemReader {
  let phase = preludePhase();
  /** Whether the response's head announces a prelude. */
  let announced = false;

  function takeChunk(event: ChunkEvent): void {
    if (phase.name === 'body') {
      subscriber.next(event);
      return;
    }
    if (phase.name === 'failure') {
      takeErrorBody(phase.head, phase.body, event.payload);
      return;
    }
    const { held, scan } = phase;
    const bodyStart = scan(event.payload);
    if (typeof bodyStart === 'number') {
      startBody(held, event, bodyStart);
      return;
    }
    if (bodyStart === 'undecided') held.append(event);
    else release(held, event);
  }

  function startBody(held: HeldEvents, event: ChunkEvent, bodyStart: number): void {
    const json = createByteCollector();
    json.append(held.bytes());
    json.append(event.payload.subarray(0, bodyStart));
    const head = parsePrelude(json.toBytes().subarray(0, -preludeDelimiterBytes));
    const first = event.payload.subarray(bodyStart);
    if (isFailure?.(head.statusCode)) {
      const body = createByteCollector();
      phase = { name: 'failure', head, body };
      takeErrorBody(head, body, first);
      return;
    }
    phase = bodyPhase;
    const hasBody = first.length > 0;
    for (const unknown of held.others()) subscriber.next(unknown);
    subscriber.next(head);
    if (!hasBody) return;
    // The consumer of the head may have transferred the chunk's buffer.
    assertAttached(first);
    subscriber.next({ ...event, payload: first });
  }

  function takeErrorBody(head: HttpHeadEvent, body: ByteCollector, payload: Uint8Array): void {
    body.append(payload.subarray(0, maxErrorBodyBytes - body.length));
    if (body.length === maxErrorBodyBytes) fail(head, body);
  }

  function fail({ statusCode, headers }: HttpHeadEvent, body: ByteCollector): void {
    subscriber.error(new HttpStatusError({ statusCode, headers, body: body.toBytes() }));
  }

  /** Delivers the held events as body, because the response has no prelude. `event` is the chunk that showed it. */
  function release(held: HeldEvents, event?: ChunkEvent): void {
    if (announced && isFailure) {
      throw new ProtocolError(
        'The head announced an HTTP prelude, but the function wrote none, and its status is unknown: ' +
          'awslambda.HttpResponseStream sends the prelude with the first write(), not with end() alone',
      );
    }
    phase = bodyPhase;
    for (const earlier of held.all()) subscriber.next(earlier);
    if (!event) return;
    assertAttached(event.payload);
    subscriber.next(event);
  }

  /** The response has ended. */
  function end(): void {
    if (phase.name === 'failure') fail(phase.head, phase.body);
    else if (phase.name === 'prelude') release(phase.held);
  }

  function takeEvent(event: Exclude<LambdaStreamEvent, ChunkEvent>): void {
    if (event.type === 'head') {
      announced = announcesPrelude(event.contentType);
    } else if (event.type === 'retry') {
      if (event.mode === 'restart' || event.mode === 'continue') {
        phase = preludePhase();
        announced = false;
      }
    } else if (event.type === 'unknown') {
      if (phase.name === 'prelude' && phase.held.append(event)) return;
    } else if (event.type === 'complete') {
      // A function that failed writes no prelude. This event tells of the failure.
      if (event.errorCode !== undefined) announced = false;
      end();
    }
    subscriber.next(event);
  }

  return {
    next(item) {
      const payload = payloadOf(item, 'decodeHttpResponse');
      if (!payload) takeEvent(item as Exclude<LambdaStreamEvent, ChunkEvent>);
      else takeChunk('type' in item ? (item as ChunkEvent) : { type: 'chunk', payload });
    },
    complete: end,
  };
}
