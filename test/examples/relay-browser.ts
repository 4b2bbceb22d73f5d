import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { get, type IncomingHttpHeaders } from 'node:http';
import { onTestFinished } from 'vitest';

/** What an EventSource is to a page, with the parts of it that a test needs to see. */
export interface Browser {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly events: readonly EventSourceMessage[];
  /** How often the stream showed that it lives. */
  readonly pings: () => number;
  /** The text so far, a `restart` minded. */
  readonly text: () => string;
  readonly lastEventId: () => string | undefined;
  /** Resolves when the condition holds; rejects when the stream ends without. */
  readonly until: (condition: (browser: Browser) => boolean) => Promise<void>;
  /** Resolves with the end of the response, true if it was a clean one. */
  readonly ended: Promise<boolean>;
  /** Reads no more from the socket, so that what the server sends waits with the server. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Goes away. */
  readonly leave: () => void;
}

export const hasEnded = ({ events }: Browser): boolean => events.at(-1)?.event === 'end';

/** Opens a URL as an EventSource does. */
export function browse(url: string, lastEventId?: string): Promise<Browser> {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'text/event-stream', ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) };
    const request = get(url, { agent: false, headers }, (response) => {
      const events: EventSourceMessage[] = [];
      const pieces: string[] = [];
      let pings = 0;
      const waiting = new Set<() => void>();
      let isOver = false;
      const parser = createParser({
        onComment: () => pings++,
        onEvent(event) {
          events.push(event);
          if (event.event === 'restart') pieces.length = 0;
          if (event.event === undefined) pieces.push((JSON.parse(event.data) as { text: string }).text);
        },
      });
      const check = (): void => waiting.forEach((waiter) => waiter());
      const browser: Browser = {
        statusCode: response.statusCode ?? 0,
        headers: response.headers,
        events,
        pings: () => pings,
        text: () => pieces.join(''),
        lastEventId: () => events.at(-1)?.id,
        until: (condition) =>
          new Promise((done, fail) => {
            const waiter = (): void => {
              if (condition(browser)) done();
              else if (isOver) fail(new Error(`The stream is over after ${JSON.stringify(events.slice(-3))}`));
              else return;
              waiting.delete(waiter);
            };
            waiting.add(waiter);
            waiter();
          }),
        ended: new Promise((done) => response.once('close', () => done(response.complete))),
        pause: () => response.pause(),
        resume: () => response.resume(),
        leave: () => request.destroy(),
      };
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        parser.feed(text);
        check();
      });
      // The response's close tells of it.
      response.on('error', () => undefined);
      response.on('close', () => {
        isOver = true;
        check();
      });
      resolve(browser);
    });
    request.on('error', reject);
    onTestFinished(() => void request.destroy());
  });
}
