import { asyncScheduler, Observable, Subscription } from 'rxjs';
import type { LambdaStreamEvent } from '../../src/events.js';
import { followInvocation } from '../../src/log/follow-invocation.js';
import { joinInvocation, type JoinInvocationOptions } from '../../src/log/join-invocation.js';
import { placeOf, type Position } from '../../src/log/entry-id.js';
import type { EntryId } from '../../src/log/invocation-log.js';
import type { PositionedEvent } from '../../src/log/log-records.js';
import { stopInvocation } from '../../src/log/manage-invocation.js';
import { openMemoryLog } from '../../src/log/memory-log.js';
import { createMemoryStore } from '../../src/log/memory-store.js';
import { chunkEvent, completeEvent, headEvent } from '../../src/testing/event-builders.js';
import { createMachines, type Machine } from './machines.js';

export const key = 'k';
export const leaseMs = 1_000;
export const lingerMs = 300;
export const chunks = 12;

/** The byte at an offset of an invocation's response. Bytes that differ by invocation show a mixture of two. */
export type ByteOf = (invocation: number, offset: number) => number;

/** A consumer on one machine, and what it was given. */
export interface Consumer {
  readonly machine: number;
  readonly what: string;
  readonly subscription: Subscription;
  /** Where its next byte belongs. */
  generation: number;
  bytes: number;
  position: Position | undefined;
  end: 'complete' | 'left' | undefined;
  error: unknown;
}

/** Several machines that share one log, with a function that they invoke, and everything that they are given. */
export class LogMachines {
  readonly machines: readonly Machine[];
  readonly consumers: Consumer[] = [];
  /** The laws that a consumer saw broken. */
  readonly violations: string[] = [];
  readonly store = createMemoryStore();
  /** Whether the connection of each invocation is open, in the order of the invocations. */
  readonly connections: boolean[] = [];
  readonly #producers: number[] = [];
  /** The generation that the log has opened last. */
  #generation = 0;
  /**
   * The invocations that write a generation, each from an offset on. A claim that nobody waits for any more opens one
   * without.
   */
  readonly #invocations = new Map<number, { readonly from: number; readonly invocation: number }[]>();
  /** The number of opening entries: each is a claim that the log has granted. */
  claims = 0;
  /** The claims among them that did not take over from a lost producer. */
  firstClaims = 0;
  readonly #byteOf: ByteOf;
  readonly #everyMs: number;
  readonly #goesOn: boolean;
  readonly #failures = new Set<() => void>();

  /**
   * @param everyMs - How often the function writes.
   * @param goesOn - Whether an invocation begins where the log ends, as under 'continue', and not at byte 0.
   */
  constructor(count: number, byteOf: ByteOf, everyMs: number, goesOn: boolean) {
    this.#everyMs = everyMs;
    this.#goesOn = goesOn;
    this.#byteOf = byteOf;
    const { machine } = createMachines(this.store);
    this.machines = Array.from({ length: count }, machine);
    let newest: EntryId = '0-0';
    // The first to watch: it is told before any machine.
    openMemoryLog(this.store).watch(key, {
      ready: () => undefined,
      presence: () => undefined,
      failed: () => undefined,
      closing: () => Promise.resolve(),
      entries: (entries) => {
        for (const { id, previous, record } of entries) {
          // Promise 4: nobody writes who does not know the newest entry. It is refused here, and told to nobody.
          if (previous !== newest) {
            this.violations.push(`an entry after ${previous} was written, and ${newest} was there`);
            throw new Error('the log has no fence');
          }
          newest = id;
          if (!record.includes('"k":"open"')) continue;
          this.claims++;
          if (record.includes('"attempt":1')) this.firstClaims++;
          this.#generation = Number(id.split('-')[0]);
        }
      },
    });
  }

  /** Invokes the function: a head, one to three bytes at a time, the end. */
  #open(machine: number): Observable<LambdaStreamEvent> {
    return new Observable((subscriber) => {
      const byteOf = this.#byteOf;
      const everyMs = this.#everyMs;
      const invocation = this.connections.push(true) - 1;
      this.#producers.push(machine);
      let offset = this.#goesOn ? placeOf(this.store.inspect(key)?.last ?? '0-0').bytes : 0;
      const { totalBytes } = this;
      const ofGeneration = this.#invocations.get(this.#generation) ?? [];
      this.#invocations.set(this.#generation, [...ofGeneration, { from: offset, invocation }]);
      let sent = 0;
      subscriber.next(headEvent());
      const ticking = asyncScheduler.schedule(function () {
        if (offset === totalBytes) {
          subscriber.next(completeEvent());
          subscriber.complete();
          return;
        }
        const size = Math.min(1 + (sent++ % 3), totalBytes - offset);
        subscriber.next(
          chunkEvent(Uint8Array.from({ length: size }, (_, index) => byteOf(invocation, offset + index))),
        );
        offset += size;
        this.schedule(undefined, everyMs);
      }, everyMs);
      const fail = (): void => subscriber.error(new Error('the function failed'));
      this.#failures.add(fail);
      return () => {
        ticking.unsubscribe();
        this.#failures.delete(fail);
        this.connections[invocation] = false;
      };
    });
  }

  /** The machine that has opened the newest connection which is still there. */
  get producer(): number | undefined {
    return this.#producers[this.connections.lastIndexOf(true)];
  }

  get totalBytes(): number {
    return Array.from({ length: chunks }, (_, index) => 1 + (index % 3)).reduce((sum, size) => sum + size);
  }

  failFunction(): void {
    for (const fail of [...this.#failures]) fail();
  }

  join(machine: number, options: JoinInvocationOptions): Consumer {
    const source = joinInvocation(this.machines[machine]!, key, () => this.#open(machine), {
      leaseMs,
      lingerMs,
      ...options,
    });
    return this.#consume(machine, `join ${options.after ?? ''}`, source, options.after as Position | undefined);
  }

  follow(machine: number): Consumer {
    return this.#consume(machine, 'follow', followInvocation(this.machines[machine]!, key), undefined);
  }

  stop(machine: number): void {
    stopInvocation(this.machines[machine]!, key).catch(() => undefined);
  }

  leave(consumer: Consumer): void {
    consumer.end ??= 'left';
    consumer.subscription.unsubscribe();
  }

  #consume(machine: number, what: string, source: Observable<PositionedEvent>, after: Position | undefined): Consumer {
    const [generation = 0, bytes = 0] = after?.split('-').map(Number) ?? [];
    const consumer: Consumer = {
      machine,
      what,
      subscription: new Subscription(),
      generation,
      bytes,
      position: after,
      end: undefined,
      error: undefined,
    };
    this.consumers.push(consumer);
    const subscription = source.subscribe({
      next: (event) => this.#take(consumer, event),
      error: (error: unknown) => {
        consumer.error = error;
      },
      complete: () => {
        consumer.end = 'complete';
        // Promise 3: a response that completes is whole.
        if (consumer.bytes !== this.totalBytes) this.#violated(consumer, `completed after ${consumer.bytes} bytes`);
      },
    });
    consumer.subscription.add(subscription);
    return consumer;
  }

  #take(consumer: Consumer, event: PositionedEvent): void {
    const [generation, bytes] = event.position.split('-').map(Number) as [number, number];
    if (consumer.end !== undefined || consumer.error !== undefined)
      this.#violated(consumer, 'is told more after its end');
    consumer.position = event.position;
    if (event.type === 'retry' && event.mode === 'restart') Object.assign(consumer, { generation, bytes: 0 });
    if (event.type !== 'chunk') {
      if (consumer.generation === 0) consumer.generation = generation;
      return;
    }
    const from = bytes - event.payload.length;
    // Promise 4: no byte comes twice, is left out or belongs to another generation.
    if (consumer.generation === 0 && from === 0) consumer.generation = generation;
    if (generation !== consumer.generation) this.#violated(consumer, `got generation ${generation} without a restart`);
    if (from !== consumer.bytes) this.#violated(consumer, `got byte ${from} after ${consumer.bytes}`);
    const invocations = this.#invocations.get(generation) ?? [];
    event.payload.forEach((byte, index) => {
      const { invocation = -1 } = invocations.filter((each) => each.from <= from + index).at(-1) ?? {};
      if (byte !== this.#byteOf(invocation, from + index))
        this.#violated(consumer, `got a foreign byte at ${from + index}`);
    });
    consumer.bytes = bytes;
  }

  #violated({ what, machine }: Consumer, law: string): void {
    this.violations.push(`${what} on ${machine} ${law}`);
  }
}
