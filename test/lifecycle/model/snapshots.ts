import { textSoFar, wholeText, type ModelEvent } from './events.js';
import { segmentsOf } from './segments.js';

/** How a stream ended. */
export type Ending = { readonly error: string } | 'complete' | undefined;

/** What a user interface is to show after these events, in words. */
export function snapshotOf(events: readonly ModelEvent[], ending: Ending): string {
  const shown = {
    status: statusOf(events, ending),
    text: '',
    bytes: 0,
    chunks: 0,
    head: undefined as string | undefined,
    http: undefined as number | undefined,
    retry: undefined as number | undefined,
    errorCode: undefined as string | undefined,
    error: typeof ending === 'object' ? ending.error : undefined,
  };

  for (const { bytes, begunBy, isWhole } of segmentsOf(events, ending === 'complete')) {
    if (begunBy === 'restart') {
      shown.text = '';
      shown.bytes = 0;
    }
    // What was cut off by a continue is no text any more.
    shown.text += isWhole ? wholeText(bytes) : textSoFar(bytes);
    shown.bytes += bytes.length;
  }

  for (const event of events) {
    if (event.type === 'chunk') shown.chunks++;
    if (event.type === 'head') shown.head = event.requestId;
    if (event.type === 'http-head') shown.http = event.statusCode;
    if (event.type === 'complete' && ending === 'complete') shown.errorCode = event.errorCode;
    if (event.type !== 'retry') continue;
    // Of the attempt before; but a replay goes on with the same HTTP response.
    shown.head = undefined;
    if (event.mode !== 'replay') shown.http = undefined;
    if (event.mode === 'restart') shown.chunks = 0;
  }
  if (shown.status === 'retrying') shown.retry = lastRetry(events);
  return JSON.stringify(shown);
}

function lastRetry(events: readonly ModelEvent[]): number | undefined {
  return events.flatMap((event) => (event.type === 'retry' ? event.attempt : [])).at(-1);
}

function statusOf(events: readonly ModelEvent[], ending: Ending): string {
  if (ending === 'complete') return 'complete';
  if (ending) return 'failed';
  const last = events.filter(isShown).at(-1)?.type;
  return last === undefined ? 'connecting' : last === 'retry' ? 'retrying' : 'streaming';
}

/** Whether it changes what is shown: the end shows with the end. */
export function isShown({ type }: ModelEvent): boolean {
  return type !== 'complete' && type !== 'unknown';
}
