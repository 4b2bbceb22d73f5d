import type { ServerResponse } from 'node:http';
import type { Observable } from 'rxjs';
import { type LambdaStreamEvent } from 'rx-lambda-stream';
import { describe, expect, it } from 'vitest';
import { fetchResponseStream } from 'rx-lambda-stream/http';
import { startHttp } from '../support/live-http.js';

/** What the server does for a letter of a diagram. */
const acts = new Map<string, (response: ServerResponse) => unknown>([
  ['h', (response) => response.flushHeaders()],
  ['a', (response) => response.write('a')],
  ['b', (response) => response.write('b')],
  ['|', (response) => response.end()],
]);

/** How an event is written in a diagram. */
function letterOf(event: LambdaStreamEvent): string {
  if (event.type === 'chunk') return new TextDecoder().decode(event.payload);
  return event.type === 'http-head' ? 'p' : event.type.charAt(0);
}

/**
 * A real server that writes what a diagram says, frame by frame: the next frame begins when all that the present one
 * brings has arrived. So frames are counted, not timed.
 */
async function play(diagram: string, expected: string) {
  let answer!: (response: ServerResponse) => void;
  const answered = new Promise<ServerResponse>((resolve) => (answer = resolve));
  const server = await startHttp((response) => answer(response));

  /** Subscribes, and draws what arrives, and the request as the server sees it. */
  async function record(stream: Observable<LambdaStreamEvent>): Promise<{ result: string; subs: string }> {
    const drawn = { result: '', subs: '#'.repeat(server.requests.length) };
    let arrived = '';
    let wake = (): void => undefined;
    const note = (letter: string): void => {
      arrived += letter;
      wake();
    };
    const subscription = stream.subscribe({
      next: (event) => note(letterOf(event)),
      error: () => note('#'),
      complete: () => note('|'),
    });
    const response = await answered;
    const columns = [...expected.matchAll(/\((.+?)\)|./g)].map(([text, group]) => ({
      at: text,
      letters: group ?? text,
    }));
    let column = 0;
    for (const { at, letters } of columns) {
      const isIdle = letters === '-';
      acts.get(diagram.charAt(column))?.(response);
      while (!isIdle && arrived.length < letters.length) await new Promise<void>((resolve) => (wake = resolve));
      if (subscription.closed) await server.requests[0]?.closedEarly;
      drawn.subs += column === 0 ? '^' : subscription.closed ? '!' : '-'.repeat(at.length);
      drawn.result += arrived.length > 1 ? `(${arrived})` : arrived.padEnd(at.length, '-');
      arrived = '';
      column += at.length;
    }
    return drawn;
  }

  return { server, record };
}

describe('fetchResponseStream', () => {
  it('is one request from the subscription on, and its events come as the server sends them', async () => {
    // prettier-ignore
    {
      const source = '--h----a-b----|';
      const result = '--(hp)-a-b----(c|)';
      const subs =   '^-------------!';

      const { server, record } = await play(source, result);
      expect(await record(fetchResponseStream(server.url))).toEqual({ result, subs });
      expect(server.requests).toHaveLength(1);
    }
  });
});
