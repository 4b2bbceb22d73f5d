import { decodeText, isLambdaStreamError, type LambdaStreamEvent } from 'rx-lambda-stream';
import { catchError, concat, connect, defer, merge, mergeMap, of, type Observable } from 'rxjs';

/** A message for browsers. Without a type it is text. */
export interface Message {
  readonly id: string;
  readonly type?: 'restart' | 'end' | 'failure';
  readonly data: object;
}

/** A place in a response: which invocation, and how many characters of its text. */
const placePattern = /^(.+)\/(\d+)$/;

/**
 * Turns a response into messages, from the place on that `lastEventId` names.
 *
 * The id is `requestId/length`, the length of the text so far. Where chunks are cut differs from reader to reader, so
 * that
 * counting messages would not do; the place in the text is the same for all. The request id tells another invocation's
 * text, which may read differently: then a `restart` comes first. `end` and `failure` are messages too, since all that
 * an EventSource makes of the end of a connection is the next one.
 */
export function toMessages(lastEventId = ''): (source: Observable<LambdaStreamEvent>) => Observable<Message> {
  return (source) =>
    defer(() => {
      const [, lastRun, lastPlace] = placePattern.exec(lastEventId) ?? [];
      /** The invocation whose text the browser has. */
      let known = lastRun;
      let run: string | undefined;
      let place = 0;
      let skip = 0;
      const id = (): string => (run === undefined ? '' : `${run}/${place}`);

      function begin(event: LambdaStreamEvent): Message[] {
        if (event.type === 'retry' && event.mode === 'restart') [known, run] = [run ?? known, undefined];
        if (event.type !== 'head' || run !== undefined) return [];
        run = event.requestId ?? 'unknown';
        place = 0;
        skip = run === known ? Number(lastPlace) : 0;
        return known === undefined || run === known ? [] : [{ id: id(), type: 'restart', data: {} }];
      }

      function send(text: string): Message[] {
        const fresh = text.slice(Math.max(0, skip - place));
        place += text.length;
        return fresh === '' ? [] : [{ id: id(), data: { text: fresh } }];
      }

      return concat(
        source.pipe(
          connect((events) => merge(events.pipe(mergeMap(begin)), events.pipe(decodeText(), mergeMap(send)))),
        ),
        defer(() => of<Message>({ id: id(), type: 'end', data: {} })),
      ).pipe(catchError((error: unknown) => of(toFailure(error, id()))));
    });
}

/** What browsers are told of an error: its kind. Messages can name functions and hold records. */
export function toFailure(error: unknown, id: string): Message {
  const kind = isLambdaStreamError(error) ? error.code : error instanceof Error ? error.name : 'unknown';
  return { id, type: 'failure', data: { error: kind } };
}
