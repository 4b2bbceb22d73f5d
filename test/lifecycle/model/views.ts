import type { ViewPlan } from '../plan.js';
import { inWords, textSoFar, toBytes, wholeText, type ModelEvent } from './events.js';
import { linesOf } from './lines.js';
import { segmentsOf } from './segments.js';
import { sentEventsOf } from './sent-events.js';

/** All that a view has shown of some events, and the error that it ends with, if it does. */
export interface Seen {
  readonly values: readonly string[];
  readonly error?: string;
}

/** What is to be seen of the events so far, or of all where the stream is complete. Snapshots have their own model. */
export function view(
  plan: Exclude<ViewPlan, { of: 'snapshots' }>,
  events: readonly ModelEvent[],
  ended: boolean,
): Seen {
  switch (plan.of) {
    case 'events':
      return { values: events.map(inWords) };
    case 'text':
      return textOf(events, ended, plan.fatal);
    case 'lines': {
      const { lines, error } = linesOf(events, ended, plan.maxLineBytes);
      return { values: lines.map(({ text }) => text), ...(error && { error }) };
    }
    case 'records':
      return recordsOf(events, ended, plan);
    case 'server-sent events':
      return { values: sentEventsOf(segmentsOf(events, ended)) };
    case 'response':
      return responseOf(events, ended, plan.maxBytes);
  }
}

function textOf(events: readonly ModelEvent[], ended: boolean, fatal: boolean): Seen {
  let all = '';
  for (const { bytes, isWhole } of segmentsOf(events, ended)) {
    if (fatal && isFaulty(bytes, !isWhole)) return { values: [all], error: 'InvalidTextError' };
    // What was cut off by a retry is no text any more.
    all += isWhole ? wholeText(bytes) : textSoFar(bytes);
  }
  return { values: [all] };
}

function isFaulty(bytes: string, stream: boolean): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(toBytes(bytes), { stream });
    return false;
  } catch {
    return true;
  }
}

function recordsOf(
  events: readonly ModelEvent[],
  ended: boolean,
  { onInvalid, maxLineBytes }: { onInvalid: 'error' | 'skip'; maxLineBytes: number },
): Seen {
  const { lines, error } = linesOf(events, ended, maxLineBytes);
  const values: string[] = [];
  for (const { text, line, offset } of lines) {
    if (/^[ \t\r]*$/.test(text)) continue;
    try {
      values.push(JSON.stringify(JSON.parse(text)));
    } catch {
      if (onInvalid === 'error') return { values, error: `InvalidRecordError in line ${line}, byte ${offset}` };
    }
  }
  return { values, ...(error && { error }) };
}

function responseOf(events: readonly ModelEvent[], ended: boolean, maxBytes: number): Seen {
  let bytes = '';
  let head: string | undefined;
  let httpStatus: number | undefined;
  let errorCode: string | undefined;
  for (const event of events) {
    if (event.type === 'head') head = event.requestId;
    else if (event.type === 'http-head') httpStatus = event.statusCode;
    else if (event.type === 'complete') errorCode = event.errorCode;
    else if (event.type === 'chunk') bytes += event.bytes;
    else if (event.type === 'retry' && event.mode === 'restart') {
      bytes = '';
      httpStatus = undefined;
    }
    if (bytes.length > maxBytes) return { values: [], error: `ResponseTooLargeError ${maxBytes}` };
  }
  return { values: ended ? [JSON.stringify([head, httpStatus, bytes, errorCode])] : [] };
}
