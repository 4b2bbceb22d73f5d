import type { HttpPlan } from '../plan.js';
import type { Bytes, ModelEvent } from './events.js';

/** What an HTTP response is decoded to, and the error that it ends with, if it does. */
export interface Decoded {
  readonly events: readonly ModelEvent[];
  readonly error?: string;
}

/** What `decodeHttpResponse(…)` makes of the events so far, or of all where the stream is complete. */
export function decodeHttp(plan: HttpPlan, events: readonly ModelEvent[], ended: boolean): Decoded {
  const decoded: ModelEvent[] = [];
  /** The chunks so far, while it is not decided whether there is a prelude in them. */
  let held: Bytes[] | undefined = [];
  /** Set for a response that has failed. */
  let failure: { readonly statusCode: number; readonly body: Bytes } | undefined;

  /** @param last - The chunk that has shown that there is no prelude. What was held before it is one chunk. */
  const release = (last?: Bytes): void => {
    const bytes = (held ?? []).join('');
    if (bytes !== '') decoded.push({ type: 'chunk', bytes });
    if (last !== undefined) decoded.push({ type: 'chunk', bytes: last });
    held = undefined;
  };
  const failed = ({ statusCode, body }: NonNullable<typeof failure>): Decoded => ({
    events: decoded,
    error: `HttpStatusError ${statusCode} ${body.slice(0, plan.maxErrorBodyBytes)}`,
  });

  for (const event of events) {
    if (event.type === 'chunk') {
      if (failure) {
        failure = { ...failure, body: failure.body + event.bytes };
      } else if (held === undefined) {
        decoded.push(event);
      } else {
        held.push(event.bytes);
        const prelude = preludeOf(held.join(''));
        if (prelude === 'none') {
          release(held.pop());
        } else if (prelude) {
          const { statusCode, body } = prelude;
          if (typeof statusCode !== 'number') return { events: decoded, error: 'ProtocolError' };
          held = undefined;
          if (plan.failOnStatus && statusCode >= 400) {
            failure = { statusCode, body };
          } else {
            decoded.push({ type: 'http-head', statusCode });
            if (body !== '') decoded.push({ type: 'chunk', bytes: body });
          }
        }
      }
      if (failure && failure.body.length >= plan.maxErrorBodyBytes) return failed(failure);
      continue;
    }
    if (event.type === 'complete') {
      if (failure) return failed(failure);
      release();
    } else if (event.type === 'retry' && (event.mode === 'restart' || event.mode === 'continue')) {
      held = [];
      failure = undefined;
    }
    decoded.push(event);
  }
  if (ended && failure) return failed(failure);
  if (ended) release();
  return { events: decoded };
}

/** The status and the body behind a prelude; undefined while there may still be one. */
function preludeOf(bytes: Bytes): { readonly statusCode: unknown; readonly body: Bytes } | 'none' | undefined {
  if (bytes === '') return undefined;
  if (!bytes.startsWith('{')) return 'none';
  const end = endOfObject(bytes);
  if (end === undefined) return undefined;
  const after = bytes.slice(end, end + 8);
  if (after.replaceAll('\0', '') !== '') return 'none';
  if (after.length < 8) return undefined;
  const { statusCode = 200 } = JSON.parse(bytes.slice(0, end)) as { statusCode?: unknown };
  return { statusCode, body: bytes.slice(end + 8) };
}

/** Where the first JSON object ends: at the first brace up to which it is one. */
function endOfObject(bytes: Bytes): number | undefined {
  for (let end = bytes.indexOf('}') + 1; end > 0; end = bytes.indexOf('}', end) + 1) {
    try {
      JSON.parse(bytes.slice(0, end));
      return end;
    } catch {
      // Not yet.
    }
  }
  return undefined;
}
