import { invokeWithResponseStream, type LambdaStreamEvent } from 'rx-lambda-stream';
import { scripted, type ScriptStep } from 'rx-lambda-stream/local';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { gate, startLive } from '../support/live.js';

/** What Lambda puts on the wire for a letter of a diagram. */
const steps = new Map<string, ScriptStep>([
  ['h', 'flush'],
  ['a', { chunk: 'a' }],
  ['b', { chunk: 'b' }],
  ['c', { complete: {} }],
  ['|', 'end'],
]);

/** How an event is written in a diagram. */
function letterOf(event: LambdaStreamEvent): string {
  return event.type === 'chunk' ? new TextDecoder().decode(event.payload) : event.type.charAt(0);
}

/**
 * A real client on a real endpoint that writes what a diagram says, frame by frame: the next frame begins when all that
 * the present one brings has arrived. So frames are counted, not timed.
 */
async function play(diagram: string) {
  const frames = [...diagram.matchAll(/\((.+?)\)|./g)].map(([text, group = text]) => ({
    steps: Array.from(group).flatMap((letter) => steps.get(letter) ?? []),
    width: text.length,
    ...gate(),
  }));
  const script = frames.flatMap(({ steps, opened }): ScriptStep[] =>
    steps.length > 0 ? [{ waitFor: opened }, ...steps] : [],
  );
  const { local, client } = await startLive({ f: scripted(script) });

  /** Subscribes, and draws what arrives, and the request as the endpoint sees it. */
  async function record(stream: Observable<LambdaStreamEvent>): Promise<{ result: string; subs: string }> {
    const drawn = { result: '', subs: '#'.repeat(local.requests.length) };
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
    await local.request(0);
    for (const [index, frame] of frames.entries()) {
      frame.open();
      while (arrived.length < frame.steps.length && !subscription.closed) {
        await new Promise<void>((resolve) => (wake = resolve));
      }
      if (subscription.closed) await local.idle();
      drawn.subs += index === 0 ? '^' : subscription.closed ? '!' : '-';
      drawn.result += arrived.length > 1 ? `(${arrived})` : arrived.padEnd(frame.width, '-');
      arrived = '';
    }
    return drawn;
  }

  return { client, local, record };
}

describe('invokeWithResponseStream', () => {
  it('is one request from the subscription on, and its events come as Lambda sends them', async () => {
    // prettier-ignore
    {
      const source = play('--h--a-b----(c|)');
      const result =      '--h--a-b----(c|)';
      const subs =        '^-----------!';

      const { client, local, record } = await source;
      expect(await record(invokeWithResponseStream(client, { FunctionName: 'f' }))).toEqual({ result, subs });
      expect(local.requests).toHaveLength(1);
    }
  });
});
