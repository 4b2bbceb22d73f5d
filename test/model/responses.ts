import { chunkFrame, completeFrame, concat, encodeFrame } from '../support/frames.js';
import { turnOfTheEventLoop, type Exchange } from './driven-client.js';
import { toBytes, type Bytes, type ResponseStep } from './expected/events.js';
import { failures, type Failure } from './expected/failures.js';

/** Answers a request with what its first step is. @returns What the client is told in place of the headers. */
export function answerHead(exchange: Exchange, step: ResponseStep): ResponseStep {
  if (step.does === 'fail') {
    const { exception, retryAfter, error }: Failure = failures[step.how];
    if (exception) exchange.refuse(exception.statusCode, exception.name, retryAfter);
    else exchange.fail(error);
    return step;
  }
  if (step.does === 'head 204') {
    exchange.respond(204);
    exchange.body?.end();
    return step;
  }
  exchange.respond(200);
  return { does: 'head' };
}

/** How much of its document each response has sent. */
const sentBytes = new WeakMap<Exchange, number>();

/**
 * Sends the frames of some steps as one read. The steps end with the first one that ends the response.
 *
 * @param cut - Where the first frame is cut in two. A part of a frame gives no event.
 * @returns The steps that were sent.
 */
export async function sendRead(
  exchange: Exchange,
  document: Bytes,
  steps: readonly ResponseStep[],
  { cut, isPaused }: { readonly cut: number; readonly isPaused: boolean },
): Promise<ResponseStep[]> {
  const body = exchange.body!;
  const [alone] = steps;
  if (alone?.does === 'end') {
    body.end();
    return [alone];
  }
  if (alone?.does === 'break') {
    // A break during a pause shows now or later, as the kind of body has it: see test/live/faults.test.ts.
    if (isPaused) return [];
    // A broken body loses what was not read.
    await turnOfTheEventLoop();
    body.break(new Error('reset'));
    return [alone];
  }
  const sent: ResponseStep[] = [];
  const frames: Uint8Array[] = [];
  for (const step of steps) {
    const frame = frameOf(exchange, document, step);
    if (!frame) continue;
    sent.push(step);
    frames.push(frame);
    if (step.does !== 'chunk' && step.does !== 'unknown') break;
  }
  const bytes = concat(...frames);
  const at = cut % (frames[0]?.length ?? 1);
  if (at > 0) {
    body.push(bytes.subarray(0, at));
    await turnOfTheEventLoop();
  }
  if (bytes.length > 0) body.push(bytes.subarray(at));
  const last = sent.at(-1)?.does;
  if (last === 'complete' || last === 'function error') body.end();
  return sent;
}

/** The frame of a step, for a step that is a frame. */
function frameOf(exchange: Exchange, document: Bytes, step: ResponseStep): Uint8Array | undefined {
  const { does } = step;
  if (does === 'chunk') {
    const at = sentBytes.get(exchange) ?? 0;
    sentBytes.set(exchange, at + step.bytes);
    return chunkFrame(toBytes(document.slice(at, at + step.bytes)));
  }
  if (does === 'unknown') return encodeFrame({ ':event-type': 'New', ':message-type': 'event' }, 'new');
  if (does === 'complete' || does === 'complete, without an end') return completeFrame();
  if (does === 'function error') return completeFrame({ ErrorCode: 'Unhandled' });
  if (does === 'damaged frame') {
    const frame = chunkFrame('damaged');
    frame[frame.length - 1]! ^= 1;
    return frame;
  }
  const { exception, retryAfter }: Partial<Failure> = does === 'fail' ? failures[step.how] : {};
  // An exception within the stream has no headers, and so no Retry-After.
  if (!exception || retryAfter !== undefined) return undefined;
  return encodeFrame({ ':message-type': 'exception', ':exception-type': exception.name }, '{"message":"m"}');
}
