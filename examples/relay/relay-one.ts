import { invokeWithResponseStream, retryInvocation, type InvokeInput, type LambdaStreamClient } from 'rx-lambda-stream';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BehaviorSubject } from 'rxjs';
import { formatMessage, openEventStream, type EventStreamOptions } from './event-stream.js';
import { toMessages } from './to-messages.js';

/**
 * Relays one invocation to one browser, at the browser's pace: while it does not read, nothing is read from Lambda.
 *
 * A browser that goes away closes the connection to Lambda, and its answer is gone. So one that comes back with a
 * Last-Event-ID gets a 204, which tells its EventSource to leave it at that, rather than a second invocation.
 */
export function relayOne(
  client: LambdaStreamClient,
  input: InvokeInput,
  request: IncomingMessage,
  response: ServerResponse,
  options?: EventStreamOptions,
): void {
  if (request.headers['last-event-id'] !== undefined) {
    response.writeHead(204).end();
    return;
  }
  openEventStream(response, options);
  const paused = new BehaviorSubject(false);
  const subscription = invokeWithResponseStream(client, input, { pauseWhile: paused })
    .pipe(retryInvocation(), toMessages())
    .subscribe({
      next(message) {
        if (!response.write(formatMessage(message))) paused.next(true);
      },
      complete: () => response.end(),
    });
  response.on('drain', () => paused.next(false));
  response.on('close', () => subscription.unsubscribe());
}
