import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import type { LambdaStreamEvent } from 'rx-lambda-stream';
import type { Observable, Subscription } from 'rxjs';
import type { Agent } from 'node:http';

/** A stream that nobody expects to end. */
export interface OpenStream {
  readonly subscription: Subscription;
  readonly heard: string[];
  /** Resolves with the stream's first event or error. */
  readonly first: Promise<unknown>;
}

/** Subscribes to so many streams that do not end, and remembers what each says. */
export function open(
  streams: number,
  source: (id: number) => Observable<LambdaStreamEvent>,
  firstId = 0,
): OpenStream[] {
  return Array.from({ length: streams }, (_, n) => {
    const heard: string[] = [];
    let hear!: (what: unknown) => void;
    const first = new Promise<unknown>((resolve) => (hear = resolve));
    const subscription = source(firstId + n).subscribe({
      next(event) {
        heard.push(event.type);
        hear(event);
      },
      error(error: unknown) {
        heard.push(String(error));
        hear(error);
      },
    });
    return { subscription, heard, first };
  });
}

export const leave = (streams: readonly OpenStream[]): void =>
  streams.forEach(({ subscription }) => subscription.unsubscribe());

/** Resolves when each has said something. */
export const firsts = (streams: readonly OpenStream[]): Promise<unknown> =>
  Promise.all(streams.map(({ first }) => first));

/** Requests that wait for a socket. */
export function queueLength(client: LambdaClient): number {
  const { httpAgent } = (client.config.requestHandler as unknown as NodeHttpHandler).httpHandlerConfigs();
  return Object.values((httpAgent as Agent).requests).reduce((sum, queue = []) => sum + queue.length, 0);
}
