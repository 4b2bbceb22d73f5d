import type { Subscriber } from 'rxjs';
import { HttpStatusError } from '../errors.js';
import type { ChunkEvent, HttpHeadEvent, LambdaStreamEvent } from '../events.js';
import { createByteCollector, type ByteCollector } from '../shared/byte-collector.js';
import { createPreludeScanner, parsePrelude, preludeDelimiterBytes } from './http-prelude.js';
import { isBytes, type PayloadSource } from '../shared/payload.js';
import type { ItemTransform } from './transform-items.js';

/** What the bytes that come next belong to. `held` is what may turn out to be no prelude. */
type Phase =
  | { readonly name: 'prelude'; readonly scan: ReturnType<typeof createPreludeScanner>; readonly held: ChunkEvent[] }
  | { readonly name: 'failure'; readonly head: HttpHeadEvent; readonly body: ByteCollector }
  | { readonly name: 'body' };

const bodyPhase: Phase = { name: 'body' };

function preludePhase(): Phase {
  return { name: 'prelude', scan: createPreludeScanner(), held: [] };
}

/** Makes the decoder of one subscription. */
export function createHttpResponseDecoder(
  subscriber: Subscriber<LambdaStreamEvent>,
  isFailure: (statusCode: number) => boolean,
  maxErrorBodyBytes: number,
): ItemTransform<PayloadSource> {
  let phase = preludePhase();

  function takeChunk(event: ChunkEvent): void {
    if (phase.name === 'body') {
      subscriber.next(event);
      return;
    }
    if (phase.name === 'failure') {
      takeErrorBody(phase.head, phase.body, event.payload);
      return;
    }
    const { held } = phase;
    held.push(event);
    const bodyStart = phase.scan(event.payload);
    if (bodyStart === 'absent') release(held);
    else if (bodyStart !== 'undecided')
      startBody(parsePrelude(jsonOf(held, bodyStart)), event.payload.subarray(bodyStart));
  }

  function startBody(head: HttpHeadEvent, first: Uint8Array): void {
    if (isFailure(head.statusCode)) {
      const body = createByteCollector();
      phase = { name: 'failure', head, body };
      takeErrorBody(head, body, first);
      return;
    }
    phase = bodyPhase;
    subscriber.next(head);
    if (first.length > 0) subscriber.next({ type: 'chunk', payload: first });
  }

  function takeErrorBody(head: HttpHeadEvent, body: ByteCollector, payload: Uint8Array): void {
    body.append(payload.subarray(0, maxErrorBodyBytes - body.length));
    if (body.length === maxErrorBodyBytes) fail(head, body);
  }

  function fail({ statusCode, headers }: HttpHeadEvent, body: ByteCollector): void {
    subscriber.error(new HttpStatusError({ statusCode, headers, body: body.toBytes() }));
  }

  function release(held: readonly ChunkEvent[]): void {
    phase = bodyPhase;
    for (const event of held) subscriber.next(event);
  }

  /** The response has ended. */
  function end(): void {
    if (phase.name === 'failure') fail(phase.head, phase.body);
    else if (phase.name === 'prelude') release(phase.held);
  }

  return {
    next(item) {
      if (isBytes(item)) {
        takeChunk({ type: 'chunk', payload: item });
        return;
      }
      if (item.type === 'chunk') {
        takeChunk(item);
        return;
      }
      if (item.type === 'complete') end();
      else if (item.type === 'retry' && (item.mode === 'restart' || item.mode === 'continue')) phase = preludePhase();
      subscriber.next(item);
    },
    complete: end,
  };
}

/** The prelude's JSON: all that is held, up to the delimiter before the body, which begins in the last piece. */
function jsonOf(held: readonly ChunkEvent[], bodyStart: number): Uint8Array {
  const prelude = createByteCollector();
  held.forEach(({ payload }, index) =>
    prelude.append(index === held.length - 1 ? payload.subarray(0, bodyStart) : payload),
  );
  return prelude.toBytes().subarray(0, -preludeDelimiterBytes);
}
