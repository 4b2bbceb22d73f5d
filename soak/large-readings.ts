import {
  createFlowControl,
  decodeText,
  invokeWithResponseStream,
  parseNdjson,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { filter, ignoreElements, lastValueFrom, tap, timer, type Observable } from 'rxjs';
import { count, exactly, told, type Check } from './check.js';
import type { Surroundings } from './follow.js';
import { rowBytes, textPattern, textPatternBytes, type Row } from './large-payloads.js';

/** One way to read a large stream to its end. */
export interface Reading {
  /** Reads a response of about so many bytes, and finds what is wrong with it. */
  read(surroundings: Surroundings, bytes: number): Promise<{ readonly checks: Check[]; readonly bytes: number }>;
}

/** Through `decodeText`; each piece is compared with what was sent. */
export const text: Reading = {
  async read({ client }, about) {
    const times = Math.floor(about / textPatternBytes);
    // Whatever is delivered at once is somewhere in here, from any of its characters on.
    let expected = textPattern.repeat(2_000);
    let length = 0;
    let wrong = 0;
    await lastValueFrom(
      invokeWithResponseStream(client, { FunctionName: 'text', Payload: { count: times } }).pipe(
        decodeText(),
        tap((part) => {
          while (expected.length < part.length + textPattern.length) expected += expected;
          if (!expected.startsWith(part, length % textPattern.length)) wrong++;
          length += part.length;
        }),
        ignoreElements(),
      ),
      { defaultValue: undefined },
    );
    return {
      bytes: times * textPatternBytes,
      checks: [
        exactly('characters', length, times * textPattern.length),
        exactly('pieces of text that are not what was sent', wrong, 0),
      ],
    };
  },
};

/** Through `parseNdjson`; each record is compared with what was sent. */
export const rows: Reading = {
  async read({ client }, about) {
    const total = Math.floor(about / rowBytes);
    let records = 0;
    let wrong = 0;
    await lastValueFrom(
      invokeWithResponseStream(client, { FunctionName: 'rows', Payload: { count: total } }).pipe(
        parseNdjson<Row>(),
        tap(({ id, name }) => {
          if (id !== records || name !== `Zeile ${id} €`) wrong++;
          records++;
        }),
        ignoreElements(),
      ),
      { defaultValue: undefined },
    );
    return {
      bytes: total * rowBytes,
      checks: [exactly('records', records, total), exactly('records that are not what was sent, in order', wrong, 0)],
    };
  },
};

/** How long the work for one chunk of at most 64 KiB takes, in milliseconds: slower than the stream by far. */
const workMs = 1;

/** Chunk by chunk with slow work, under flow control. */
export const slowly: Reading = {
  async read({ client }, about) {
    const times = Math.floor(about / textPatternBytes);
    const flow = createFlowControl();
    let pauses = 0;
    let bytes = 0;
    const watching = flow.paused.pipe(filter(Boolean)).subscribe(() => pauses++);
    const work = (event: LambdaStreamEvent): Observable<unknown> =>
      timer(workMs).pipe(tap(() => (bytes += event.type === 'chunk' ? event.payload.length : 0)));
    await lastValueFrom(
      invokeWithResponseStream(
        client,
        { FunctionName: 'text', Payload: { count: times } },
        { pauseWhile: flow.paused },
      ).pipe(flow.mergeMap(work, 1), ignoreElements()),
      { defaultValue: undefined },
    );
    watching.unsubscribe();
    return {
      bytes: times * textPatternBytes,
      checks: [
        exactly('bytes', bytes, times * textPatternBytes),
        told('pauses', count(pauses)),
        exactly('paused at the end', String(pauses > 0 && isPaused(flow.paused)), 'false'),
      ],
    };
  },
};

function isPaused(paused: Observable<boolean>): boolean {
  let last = false;
  paused.subscribe((value) => (last = value)).unsubscribe();
  return last;
}
