import { asyncScheduler, Subscription, type Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { LambdaStreamEvent } from '../../src/events.js';
import type { PositionedEvent } from '../../src/log/log-records.js';
import { createMachines, type Machine } from './machines.js';
import type { MemoryStore } from '../../src/log/memory-store.js';

/** What one consumer got. */
export interface Seen {
  /** Letters of events: h, c; chunks as their text; retries as r, R, p, n for fresh, restart, replay, continue. */
  letters: string;
  /** The bytes that count: all since the last restart. */
  text: string;
  readonly positions: string[];
  error?: unknown;
  isComplete: boolean;
  /** When it ended, in virtual milliseconds. */
  endedAt?: number;
  readonly subscription: Subscription;
}

export interface Simulation {
  readonly store: MemoryStore;
  readonly machine: () => Machine;
  /** Runs in this frame. */
  readonly at: (frame: number, action: () => void) => void;
  /** Consumes from now on. */
  readonly consume: (stream: Observable<PositionedEvent>) => Seen;
  /** A source, and when it was subscribed to and left. */
  readonly source: (marbles: string, values?: Readonly<Record<string, LambdaStreamEvent>>, error?: unknown) => Source;
}

export interface Source {
  readonly open: () => Observable<LambdaStreamEvent>;
  readonly subscriptions: readonly { readonly subscribedFrame: number; readonly unsubscribedFrame: number }[];
}

/** When all consumers leave, in virtual milliseconds. */
const endFrame = 120_000;

/** Plays machines, consumers and sources in virtual time. What is to be compared is compared after it. */
export function simulate(play: (simulation: Simulation) => void): void {
  const scheduler = new TestScheduler(() => undefined);
  scheduler.run(({ cold }) => {
    const { machine, store } = createMachines();
    const all = new Subscription();
    const at = (frame: number, action: () => void): void => {
      asyncScheduler.schedule(action, frame - asyncScheduler.now());
    };
    play({
      store,
      machine,
      at,
      consume(stream) {
        const seen: Seen = {
          letters: '',
          text: '',
          positions: [],
          isComplete: false,
          subscription: new Subscription(),
        };
        all.add(seen.subscription);
        const end = (): void => {
          seen.endedAt = asyncScheduler.now();
        };
        seen.subscription.add(
          stream.subscribe({
            next(event) {
              seen.positions.push(event.position);
              const chunk = event.type === 'chunk' ? new TextDecoder().decode(event.payload) : '';
              if (event.type === 'retry') {
                seen.letters += { fresh: 'r', restart: 'R', replay: 'p', continue: 'n' }[event.mode];
                if (event.mode === 'restart') seen.text = '';
              } else {
                seen.letters += chunk || event.type.charAt(0);
                seen.text += chunk;
              }
            },
            error(error: unknown) {
              seen.error = error;
              end();
            },
            complete() {
              seen.isComplete = true;
              end();
            },
          }),
        );
        return seen;
      },
      source(marbles, values, error) {
        const source = cold<LambdaStreamEvent>(marbles, values, error);
        return { open: () => source, subscriptions: source.subscriptions };
      },
    });
    at(endFrame, () => all.unsubscribe());
  });
}
