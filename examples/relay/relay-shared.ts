import {
  invokeWithResponseStream,
  retryInvocation,
  shareInvocation,
  type InvokeInput,
  type LambdaStreamClient,
} from 'rx-lambda-stream';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BehaviorSubject, Subscription, takeWhile } from 'rxjs';
import { formatMessage, openEventStream, type EventStreamOptions } from './event-stream.js';
import { toFailure, toMessages, type Message } from './to-messages.js';

export interface SharedRelayOptions extends EventStreamOptions {
  /** How much may wait for one browser, in bytes, and one message besides. @defaultValue 262,144 (256 KiB) */
  readonly maxBehindBytes?: number;
  /** How much of the response is held for all of them together, in bytes. @defaultValue 4,194,304 (4 MiB) */
  readonly maxReplayBytes?: number;
  /** How long the last browser has to come back, in milliseconds. @defaultValue 5,000 */
  readonly lingerMs?: number;
}

/** Sends a shared response to one more browser. */
export type SharedRelay = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Relays one invocation to many browsers, each at its own pace; the fastest sets that of the invocation.
 *
 * A browser that falls behind by `maxBehindBytes` leaves the live stream. When it has taken what waits, it joins again
 * at its place, as if it had reconnected with its Last-Event-ID, and is told the rest from the one replay that all
 * share: it costs no memory of its own. Once the response is over `maxReplayBytes` there is no replay, and such a
 * browser
 * gets a `failure`, `replay-limit`; the others go on. While all are slow, nothing is read from Lambda; one alone gets
 * responses of any length.
 */
export function createSharedRelay(
  client: LambdaStreamClient,
  input: InvokeInput,
  options: SharedRelayOptions = {},
): SharedRelay {
  const { maxBehindBytes = 256 * 1024, maxReplayBytes = 4 * 1024 * 1024, lingerMs = 5_000 } = options;
  const browsers = new Set<ServerResponse>();
  const slow = new Set<ServerResponse>();
  const paused = new BehaviorSubject(false);
  const adjustPace = (): void => paused.next(browsers.size > 0 && slow.size === browsers.size);

  const shared = invokeWithResponseStream(client, input, { pauseWhile: paused }).pipe(
    retryInvocation(),
    shareInvocation({ maxReplayBytes, lingerMs }),
  );

  return (request, response) => {
    let place = request.headers['last-event-id']?.toString();
    let reading = Subscription.EMPTY;
    const subscription = new Subscription(() => reading.unsubscribe());

    const waits = (bytes: number): boolean => response.writableNeedDrain && response.writableLength > bytes;

    /** Sends a message, unless it is text that the browser is too far behind for. */
    function send(message: Message): boolean {
      if (message.type === undefined && waits(maxBehindBytes)) return false;
      place = message.id;
      response.write(formatMessage(message));
      if (message.type === 'end' || message.type === 'failure') response.end();
      // At half of it already: when all are slow, what is on its way still finds room, and none has to leave.
      else if (waits(maxBehindBytes / 2)) {
        slow.add(response);
        adjustPace();
      }
      return true;
    }

    function read(): void {
      reading = shared.pipe(toMessages(place), takeWhile(send)).subscribe();
    }

    openEventStream(response, options);
    browsers.add(response);
    adjustPace();
    response.on('drain', () => {
      slow.delete(response);
      adjustPace();
      // Otherwise it has missed nothing.
      if (reading.closed && !response.writableEnded) read();
    });
    response.on('close', () => {
      subscription.unsubscribe();
      browsers.delete(response);
      slow.delete(response);
      adjustPace();
    });
    read();
    if (response.writableEnded) return;
    // A browser that has left the live stream stays a consumer, and hears of a failure: there is no replay after that.
    subscription.add(
      shared.subscribe({
        error(error: unknown) {
          if (reading.closed && !response.writableEnded) response.end(formatMessage(toFailure(error, place ?? '')));
        },
      }),
    );
  };
}
