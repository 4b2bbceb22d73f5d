import type { ServerResponse } from 'node:http';
import type { Message } from './to-messages.js';

/** How a connection is kept, and given up. */
export interface EventStreamOptions {
  /** How often a quiet stream shows proxies that it lives, in milliseconds. @defaultValue 15,000 */
  readonly pingMs?: number;
  /** A browser that takes nothing for so long is dropped, in milliseconds; more than `pingMs`. @defaultValue 60,000 */
  readonly stalledMs?: number;
}

/** Begins an event stream. The headers go out at once, so that the browser knows itself connected. */
export function openEventStream(response: ServerResponse, options: EventStreamOptions = {}): void {
  const { pingMs = 15_000, stalledMs = 60_000 } = options;
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store, no-transform', // compressed, events would wait in the proxy
    'x-accel-buffering': 'no', // nginx
  });
  response.flushHeaders();
  const ping = setInterval(() => {
    if (!response.writableNeedDrain) response.write(': ping\n\n');
  }, pingMs);
  response.on('close', () => clearInterval(ping));
  // Nobody listens for the timeout: Node destroys the connection then.
  response.setTimeout(stalledMs);
}

/** A message as it goes over the wire. JSON keeps the text's line ends, which the format itself does not. */
export function formatMessage({ id, type, data }: Message): string {
  return `${type === undefined ? '' : `event: ${type}\n`}id: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
}
