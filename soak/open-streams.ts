import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Observable, Subscription } from 'rxjs';
import type { Agent } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** A stream that nobody expects to end. */
export interface OpenStream {
  readonly subscription: Subscription;
  readonly heard: string[];
  /** Resolves with the stream's first event or error. */
  readonly first: Promise<unknown>;
}

/** Subscribes to so many streams that do not end, and remembers what each says. */
export function open(streams: number, source: (id: number) => Observable<unknown>, firstId = 0): OpenStream[] {
  return Array.from({ length: streams }, (_, n) => {
    const heard: string[] = [];
    let hear!: (what: unknown) => void;
    const first = new Promise<unknown>((resolve) => (hear = resolve));
    const subscription = source(firstId + n).subscribe({
      next(event) {
        heard.push(String((event as { type?: string }).type));
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

/** The agent that holds the sockets of a client with Node's handler. */
export function agentOf(client: LambdaClient): Agent {
  return (client.config.requestHandler as unknown as NodeHttpHandler).httpHandlerConfigs().httpAgent as Agent;
}

/** Requests that wait for a socket. */
export const queueLength = (client: LambdaClient): number => total(agentOf(client).requests);

/** The idle sockets of a client without open streams, as soon as none of its requests uses or awaits one. */
export async function socketsLeft(client: LambdaClient): Promise<number> {
  const { sockets, requests, freeSockets } = agentOf(client);
  while (total(sockets) + total(requests) > 0) await nextTurn();
  return total(freeSockets);
}

function total(lists: NodeJS.ReadOnlyDict<readonly unknown[]>): number {
  return Object.values(lists).reduce((sum, list = []) => sum + list.length, 0);
}
