import type { PipelinePlan } from '../pipeline-plan.js';
import { ExpectedClock } from './clock.js';
import { lineOf, type ExpectedEvent, type ExpectedObserver, type ExpectedSource, type ResponseStep } from './events.js';
import { ExpectedInvocation } from './invocation.js';
import { expectSharing } from './sharing.js';

/** What a consumer does by itself during an event, after so many others. */
export interface Deed {
  readonly events: number;
  readonly does: 'pause' | 'leave';
}

/** A consumer, and what it is expected to be told. */
class ExpectedConsumer implements ExpectedObserver {
  readonly lines: string[] = [];
  /** `complete` or the error. Undefined while the consumer listens, and after it has left. */
  ending: string | undefined;
  closed = false;
  deed: Deed | undefined;

  constructor(
    private readonly source: ExpectedSource,
    private readonly take: number,
    private readonly pause: () => void,
  ) {}

  leave(): void {
    if (this.closed) return;
    this.closed = true;
    this.source.unsubscribe(this);
  }

  next(event: ExpectedEvent): void {
    if (this.closed) return;
    this.lines.push(lineOf(event));
    if (this.deed?.events === this.lines.length - 1) {
      if (this.deed.does === 'leave') this.leave();
      else this.pause();
    }
    if (this.lines.length === this.take) this.complete();
  }

  fail(error: string): void {
    if (this.closed) return;
    this.ending = error;
    this.leave();
  }

  complete(): void {
    this.fail('complete');
  }
}

/** One function that is invoked. */
interface ExpectedFunction {
  readonly invocation: ExpectedInvocation;
  readonly source: ExpectedSource;
  /** The reads of a pause. Nobody is told of them before it ends. */
  readonly held: { readonly request: number; readonly steps: readonly ResponseStep[] }[];
}

/** What a pipeline is expected to do, by the documentation of its operators. */
export class ExpectedPipeline {
  readonly clock = new ExpectedClock();
  readonly functions = new Map<string, ExpectedFunction>();
  /** Everybody who ever subscribed. */
  readonly consumers: ExpectedConsumer[] = [];
  isPaused = false;
  readonly #last = new Map<number, ExpectedConsumer>();

  constructor(private readonly plan: PipelinePlan) {}

  get isShared(): boolean {
    return this.plan.share !== undefined;
  }

  /** The function that a consumer invokes. */
  nameFor(who: number): string {
    return this.plan.share ? 'shared' : `of ${who}`;
  }

  /** A consumer that listens. */
  listener(who: number): ExpectedConsumer | undefined {
    const last = this.#last.get(who);
    return last?.closed === false ? last : undefined;
  }

  invocationOf(who: number): ExpectedInvocation | undefined {
    return this.functions.get(this.nameFor(who))?.invocation;
  }

  subscribe(who: number): void {
    const { source } = this.#functionOf(this.nameFor(who));
    const consumer = new ExpectedConsumer(source, this.plan.take, () => (this.isPaused = true));
    this.consumers.push(consumer);
    this.#last.set(who, consumer);
    source.subscribe(consumer);
  }

  /** One read of the open response's body. It is delivered as a whole, also where a consumer pauses in the middle. */
  takeRead(name: string, steps: readonly ResponseStep[]): void {
    const { invocation, held } = this.#functionOf(name);
    if (this.isPaused) held.push({ request: invocation.ends.length, steps });
    else for (const step of steps) invocation.take(step);
  }

  resume(): void {
    this.isPaused = false;
    // A consumer may pause again while it is told.
    const isPaused = (): boolean => this.isPaused;
    for (const { held, invocation } of this.functions.values()) {
      while (!isPaused() && held.length > 0) {
        const { request, steps } = held.shift()!;
        if (request === invocation.ends.length) for (const step of steps) invocation.take(step);
      }
    }
  }

  #functionOf(name: string): ExpectedFunction {
    const known = this.functions.get(name);
    if (known) return known;
    const { share } = this.plan;
    const invocation = new ExpectedInvocation(this.plan, name, this.clock);
    const source = share ? expectSharing(share, this.clock, invocation) : invocation;
    const created = { invocation, source, held: [] };
    this.functions.set(name, created);
    return created;
  }
}
