import { getEventListeners } from 'node:events';
import {
  invokeWithResponseStream,
  retryInvocation,
  shareInvocation,
  type LambdaStreamEvent,
  type RetryInvocationOptions,
} from 'rx-lambda-stream';
import { BehaviorSubject, config, identity, Subscription, take, type Observable } from 'rxjs';
import { expect, vi } from 'vitest';
import { turnOfTheEventLoop, type DrivenClient } from './driven-client.js';
import type { ResponseStep } from './expected/events.js';
import type { Deed, ExpectedPipeline } from './expected/pipeline.js';
import type { PipelinePlan, RetryPlan } from './pipeline-plan.js';
import { lineOfError, lineOfEvent } from './real-events.js';
import { answerHead, sendRead } from './responses.js';

/** A real consumer, and what it was told, also after its end or after it had left. */
interface Consumer {
  readonly lines: string[];
  readonly endings: string[];
  readonly subscription: Subscription;
  /** What it does by itself during an event. */
  deed: Deed | undefined;
}

/** What a response does in one step of a run. */
export interface Response {
  readonly steps: readonly ResponseStep[];
  /** Where the first frame is cut in two. */
  readonly cut: number;
  /** Whether the event loop turns before the next step. */
  readonly turns: boolean;
}

/** A real pipeline on a real client. The test drives its responses and, through vitest, its timers. */
export class RealPipeline {
  readonly #sources = new Map<string, Observable<LambdaStreamEvent>>();
  readonly #consumers: Consumer[] = [];
  /** The last consumer of each who ever subscribed. */
  readonly last = new Map<number, Consumer>();
  readonly #pauseWhile = new BehaviorSubject(false);
  readonly #unhandled: unknown[] = [];
  /** What the last step has begun, where the event loop has not turned since then. */
  #begun: 'a subscription' | 'a read' | undefined;

  constructor(
    private readonly plan: PipelinePlan,
    private readonly driven: DrivenClient,
    readonly note: (what: string) => void,
  ) {
    config.onUnhandledError = (error) => this.#unhandled.push(error);
  }

  async subscribe(who: number, name: string, turns: boolean): Promise<void> {
    await this.#settle();
    if (!turns) this.#begun = 'a subscription';
    const source = this.#sources.get(name) ?? this.#pipeline(name);
    this.#sources.set(name, source);
    const subscription = new Subscription();
    const consumer: Consumer = { lines: [], endings: [], subscription, deed: undefined };
    this.#consumers.push(consumer);
    this.last.set(who, consumer);
    const told = source.subscribe({
      next: (event) => {
        consumer.lines.push(lineOfEvent(event));
        if (consumer.deed?.events !== consumer.lines.length - 1) return;
        this.note(`${consumer.deed.does} within an event`);
        if (consumer.deed.does === 'leave') subscription.unsubscribe();
        else this.#pauseWhile.next(true);
      },
      error: (error: unknown) => consumer.endings.push(lineOfError(error)),
      complete: () => consumer.endings.push('complete'),
    });
    subscription.add(told);
  }

  async leave(expected: ExpectedPipeline, who: number): Promise<void> {
    // Expected consumers have been told of the read already.
    if (this.#begun === 'a read') await this.#settle();
    if (expected.listener(who)) {
      expected.listener(who)!.leave();
      const name = expected.nameFor(who);
      const { ends } = expected.functions.get(name)!.invocation;
      if (ends.at(-1) === 'closed' && this.driven.exchangesOf(name).length < ends.length) {
        // The request was not signed yet, and is never sent.
        ends.pop();
        this.note('no request');
      }
    }
    this.last.get(who)!.subscription.unsubscribe();
  }

  async pause(isPaused: boolean): Promise<void> {
    await this.#settle();
    this.#pauseWhile.next(isPaused);
  }

  /** The open response takes these steps, those behind the headers in one read. */
  async respond(expected: ExpectedPipeline, name: string, { steps, cut, turns }: Response): Promise<void> {
    if (this.#begun === 'a subscription') await this.#settle();
    if (!turns) this.#begun = 'a read';
    const exchange = this.driven.exchangesOf(name).at(-1)!;
    const { invocation } = expected.functions.get(name)!;
    if (!exchange.isAnswered) {
      const head = answerHead(exchange, steps[0]!);
      // A pause does not hold the headers back, nor what comes in their place.
      invocation.take(head);
      if (head.does !== 'head') return;
    }
    const sent = await sendRead(exchange, invocation.document, steps, { cut, isPaused: expected.isPaused });
    if (expected.isPaused && sent.length > 0) this.note('held back');
    expected.takeRead(name, sent);
  }

  /** The headers of a request that was left come after all. */
  answerLate(name: string): void {
    for (const exchange of this.driven.exchangesOf(name)) {
      if (!exchange.signal.aborted || exchange.isAnswered) continue;
      this.note('headers after leaving');
      exchange.respond();
    }
  }

  /** From timer to timer, since what one timer begins takes a turn of the event loop. */
  async wait(expected: ExpectedPipeline, ms: number): Promise<void> {
    await this.#settle();
    let left = ms;
    do {
      const next = Math.min(left, expected.clock.untilNextMs);
      vi.advanceTimersByTime(next);
      expected.clock.advance(next);
      await turnOfTheEventLoop();
      left -= next;
    } while (left > 0);
  }

  async check(expected: ExpectedPipeline): Promise<void> {
    if (this.#begun) return;
    await turnOfTheEventLoop();
    const functions = [...expected.functions];
    const all = functions.flatMap(([name]) => this.driven.exchangesOf(name));
    const ends = functions.flatMap(([, { invocation }]) => invocation.ends);
    // The body of a complete response is read on to its end, for so long as a timer says.
    const unread = all.filter(({ body }, index) => ends[index] === 'complete' && body?.isReleased === false);
    expect({
      // A closed response is given up at once. A response that is open, or complete, is given up by nobody.
      connections: all.map(({ signal, body }, index) => ({
        isAborted: signal.aborted,
        isHeld: ends[index] === 'closed' && body?.isReleased === false,
      })),
      timers: vi.getTimerCount() - unread.length,
      consumers: this.#consumers.map(({ lines, endings }) => ({ lines, endings })),
      unhandled: this.#unhandled,
    }).toEqual({
      connections: ends.map((end) => ({ isAborted: end === 'closed', isHeld: false })),
      timers: expected.clock.pending,
      consumers: expected.consumers.map(({ lines, ending }) => ({ lines, endings: [ending ?? []].flat() })),
      unhandled: [],
    });
    for (const [, { invocation }] of functions) this.note(`attempt ${invocation.attempt}`);
    if (!expected.consumers.some(({ closed }) => !closed) && expected.clock.pending > 0) this.note('lingers');
    if (unread.length > 0) this.note('read on');
  }

  /** All consumers leave; then nothing may be left, and nothing may begin. */
  async end(expected: ExpectedPipeline): Promise<void> {
    await this.#settle();
    await this.check(expected);
    for (const who of this.last.keys()) {
      await this.leave(expected, who);
      await this.check(expected);
    }
    for (const name of expected.functions.keys()) this.answerLate(name);
    await this.wait(expected, longMs);
    await this.check(expected);
    expect([...expected.functions.values()].filter(({ invocation }) => invocation.isOpen)).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
    expect(this.#pauseWhile.observed).toBe(false);
    for (const { signal, body } of this.driven.exchanges) {
      expect([getEventListeners(signal, 'abort'), body?.isReleased ?? true]).toEqual([[], true]);
    }
    for (const { lines, endings } of this.#consumers) for (const line of [...lines, ...endings]) this.note(line);
  }

  async #settle(): Promise<void> {
    if (this.#begun) await turnOfTheEventLoop();
    this.#begun = undefined;
  }

  #pipeline(name: string): Observable<LambdaStreamEvent> {
    const { retry, share, take: count, functionErrors } = this.plan;
    const options = { functionErrors, pauseWhile: this.#pauseWhile };
    const invocation = invokeWithResponseStream(this.driven.client, { FunctionName: name }, options).pipe(
      retry ? retryInvocation(retryOptions(retry)) : identity,
      share ? shareInvocation(share) : identity,
    );
    return count === Infinity ? invocation : invocation.pipe(take(count));
  }
}

/** Longer than any linger, and than the time for the end of a complete response. */
const longMs = 1_000;

function retryOptions({ fraction, ...options }: RetryPlan): RetryInvocationOptions {
  return { ...options, jitter: fraction === 1 ? 'none' : () => fraction };
}
