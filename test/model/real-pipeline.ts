import {
  invokeWithResponseStream,
  retryInvocation,
  shareInvocation,
  type LambdaStreamEvent,
  type RetryInvocationOptions,
} from 'rx-lambda-stream';
import { BehaviorSubject, config, identity, take, type Observable } from 'rxjs';
import { expect, vi } from 'vitest';
import type { DrivenClient, Exchange } from './driven-client.js';
import type { ResponseStep } from './expected/events.js';
import type { ResponseEnd } from './expected/invocation.js';
import type { Deed, ExpectedPipeline } from './expected/pipeline.js';
import type { PipelinePlan, RetryPlan } from './pipeline-plan.js';
import { lineOfError, lineOfEvent } from './real-events.js';
import { answerHead, sendRead } from './responses.js';
import { turnOfTheEventLoop } from './use-driven-client.js';

/** A real consumer, and what it was told. */
interface Consumer {
  readonly lines: string[];
  readonly endings: string[];
  /** What it was told after its end, or after it had left. */
  readonly late: string[];
  deed: Deed | undefined;
  leave(): void;
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
  readonly #last = new Map<number, Consumer>();
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
    let hasLeft = false;
    const consumer: Consumer = {
      lines: [],
      endings: [],
      late: [],
      deed: undefined,
      leave() {
        hasLeft = true;
        subscription.unsubscribe();
      },
    };
    this.#consumers.push(consumer);
    this.#last.set(who, consumer);
    const hear = (lines: string[], line: string): void => {
      if (hasLeft || consumer.endings.length > 0) consumer.late.push(line);
      lines.push(line);
    };
    const subscription = source.subscribe({
      next: (event) => {
        hear(consumer.lines, lineOfEvent(event));
        if (consumer.deed?.events !== consumer.lines.length - 1) return;
        this.note(`${consumer.deed.does} within an event`);
        if (consumer.deed.does === 'leave') consumer.leave();
        else this.#pauseWhile.next(true);
      },
      error: (error: unknown) => hear(consumer.endings, lineOfError(error)),
      complete: () => hear(consumer.endings, 'complete'),
    });
  }

  async leave(expected: ExpectedPipeline, who: number): Promise<void> {
    // Expected consumers have been told of the read already.
    if (this.#begun === 'a read') await this.#settle();
    if (expected.listener(who)) {
      expected.listener(who)!.leave();
      const name = expected.nameFor(who);
      const { ends } = expected.functions.get(name)!.invocation;
      if (ends.at(-1) === 'closed' && this.#exchangesOf(name).length < ends.length) {
        // The request was not signed yet, and is never sent.
        ends.pop();
        this.note('no request');
      }
    }
    this.#last.get(who)!.leave();
  }

  /** @param deed - What the consumer does by itself during an event. */
  prepare(who: number, deed: Deed): void {
    this.#last.get(who)!.deed = deed;
  }

  async pause(isPaused: boolean): Promise<void> {
    await this.#settle();
    this.#pauseWhile.next(isPaused);
  }

  /** The open response takes these steps, those behind the headers in one read. */
  async respond(expected: ExpectedPipeline, name: string, { steps, cut, turns }: Response): Promise<void> {
    if (this.#begun === 'a subscription') await this.#settle();
    if (!turns) this.#begun = 'a read';
    const exchange = this.#exchangesOf(name).at(-1)!;
    if (!exchange.isAnswered) {
      const head = answerHead(exchange, steps[0]!);
      expected.takeHead(name, head);
      if (head.does !== 'head') return;
    }
    const { document } = expected.functions.get(name)!.invocation;
    const sent = await sendRead(exchange, document, steps, { cut, isPaused: expected.isPaused });
    if (expected.isPaused && sent.length > 0) this.note('held back');
    expected.takeRead(name, sent);
  }

  /** The headers of a request that was left come after all. */
  answerLate(name: string): void {
    for (const exchange of this.#exchangesOf(name)) {
      if (!exchange.isAborted || exchange.isAnswered) continue;
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
    const all = functions.flatMap(([name]) => this.#exchangesOf(name));
    const ends = functions.flatMap(([, { invocation }]) => invocation.ends);
    // The body of a complete response is read on to its end, for so long as a timer says.
    const unread = all.filter(({ body }, index) => ends[index] === 'complete' && body?.isReleased === false);
    expect({
      connections: all.map(connectionOf),
      timers: vi.getTimerCount() - unread.length,
      consumers: this.#consumers.map(({ lines, endings, late }) => ({ lines, endings, late })),
      unhandled: this.#unhandled,
    }).toEqual({
      connections: ends.map((end, index) => expectConnection(end, all[index])),
      timers: expected.clock.pending,
      consumers: expected.consumers.map(({ lines, ending }) => ({ lines, endings: [ending ?? []].flat(), late: [] })),
      unhandled: [],
    });
    for (const [, { invocation }] of functions) this.note(`attempt ${invocation.attempt}`);
    if (!expected.consumers.some(({ listens }) => listens) && expected.clock.pending > 0) this.note('lingers');
    if (unread.length > 0) this.note('read on');
  }

  /** All consumers leave; then nothing may be left, and nothing may begin. */
  async end(expected: ExpectedPipeline): Promise<void> {
    await this.#settle();
    await this.check(expected);
    for (const who of this.#last.keys()) {
      await this.leave(expected, who);
      await this.check(expected);
    }
    for (const name of expected.functions.keys()) this.answerLate(name);
    await this.wait(expected, longMs);
    await this.check(expected);
    expect([...expected.functions.values()].filter(({ invocation }) => invocation.isOpen)).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
    expect(this.#pauseWhile.observed).toBe(false);
    for (const { abortListeners, body } of this.driven.exchanges) {
      expect([abortListeners, body?.isReleased ?? true]).toEqual([0, true]);
    }
    for (const { lines, endings } of this.#consumers) for (const line of [...lines, ...endings]) this.note(line);
  }

  async #settle(): Promise<void> {
    if (this.#begun) await turnOfTheEventLoop();
    this.#begun = undefined;
  }

  #exchangesOf(name: string): Exchange[] {
    return this.driven.exchanges.filter(({ functionName }) => functionName === name);
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

interface Connection {
  readonly isAborted: boolean;
  readonly isReleased: boolean;
}

const connectionOf = ({ isAborted, body }: Exchange): Connection => ({
  isAborted,
  isReleased: body?.isReleased ?? true,
});

/** A closed response is given up at once. A response that is open, or complete, is given up by nobody. */
function expectConnection(end: ResponseEnd, exchange: Exchange | undefined): Connection {
  const isReleased = exchange ? connectionOf(exchange).isReleased : true;
  return end === 'closed' ? { isAborted: true, isReleased: true } : { isAborted: false, isReleased };
}

function retryOptions({ fraction, ...options }: RetryPlan): RetryInvocationOptions {
  return { ...options, jitter: fraction === 1 ? 'none' : () => fraction };
}
