import fc from 'fast-check';
import { filter, Observable, Subject, take, takeUntil, type Subscriber } from 'rxjs';
import { createFlowControl, type FlowControl, type LambdaStreamEvent } from 'rx-lambda-stream';
import { chunkEvent, completeEvent, fakeInvoke } from 'rx-lambda-stream/testing';
import { expect, it } from 'vitest';
import { expectNoStrays } from '../support/no-strays.js';
import { createLedger } from './ledger.js';
import { modelWork, type ModelRead, type ModelWork } from './rules/work.js';
import { runs } from './runs.js';

expectNoStrays();

type Step =
  | { readonly step: 'read'; readonly values: number; readonly end?: 'complete' | 'failed' }
  | { readonly step: 'finish' | 'fail work'; readonly which: number }
  | { readonly step: 'subscribe' | 'unsubscribe' | 'stop' };

const reads = fc.nat(5).map((values): Step => ({ step: 'read', values }));
const lastReads = fc
  .tuple(fc.nat(5), fc.constantFrom('complete' as const, 'failed' as const))
  .map(([values, end]): Step => ({ step: 'read', values, end }));
const onWork = (step: 'finish' | 'fail work'): fc.Arbitrary<Step> => fc.nat(20).map((which) => ({ step, which }));
const stepLists = fc.noBias(
  fc.array(
    fc.oneof(
      { weight: 14, arbitrary: reads },
      { weight: 2, arbitrary: lastReads },
      { weight: 30, arbitrary: onWork('finish') },
      { weight: 1, arbitrary: onWork('fail work') },
      { weight: 4, arbitrary: fc.constant<Step>({ step: 'subscribe' }) },
      { weight: 2, arbitrary: fc.constantFrom<Step>({ step: 'unsubscribe' }, { step: 'stop' }) },
    ),
    { maxLength: 60, size: 'max' },
  ),
);

const plans = fc.record({
  highWaterMark: fc.integer({ min: 1, max: 8 }),
  concurrency: fc.constantFrom(1, 2, 5, Infinity),
  /** With so many results the consumer is content. */
  content: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
  /** Of every so-manieth value `project` throws. */
  poisonEvery: fc.constantFrom(Infinity, 17),
});

const client = { send: () => Promise.reject(new Error('not used')) };

/** A response that keeps to the pause as a real one does: between reads, not within one. */
function createPausableResponse(): {
  readonly active: number;
  respond(pauseWhile: Observable<boolean>): Observable<LambdaStreamEvent>;
  read(next: ModelRead): void;
} {
  let active = 0;
  let take: ((next: ModelRead) => void) | undefined;

  function open(subscriber: Subscriber<LambdaStreamEvent>, pauseWhile: Observable<boolean>): void {
    active++;
    const queue: ModelRead[] = [];
    let isPaused = false;
    let isReading = false;

    function pump(): void {
      if (isReading) return;
      isReading = true;
      while (!isPaused && queue.length > 0) {
        for (const { values, end } of queue.splice(0, 1)) {
          for (const value of values) subscriber.next(chunkEvent(Uint8Array.of(value)));
          if (end === 'failed') subscriber.error(new Error('failed'));
          else if (end) subscriber.next(completeEvent());
        }
      }
      isReading = false;
    }

    subscriber.add(
      pauseWhile.subscribe((pause) => {
        isPaused = pause;
        pump();
      }),
    );
    take = (next) => {
      queue.push(next);
      pump();
    };
    subscriber.add(() => {
      active--;
      take = undefined;
    });
  }

  return {
    get active() {
      return active;
    },
    respond: (pauseWhile) => new Observable((subscriber) => open(subscriber, pauseWhile)),
    read: (next) => take?.(next),
  };
}

function isPaused({ paused }: FlowControl): boolean | undefined {
  let said: boolean | undefined;
  paused.pipe(take(1)).subscribe((pause) => (said = pause));
  return said;
}

it('a flow control works through what it is given, and pauses when it should, in any order of steps', () => {
  const ledger = createLedger({
    'a pause': /^paused$/,
    'a pause that ends and begins again at once': /^false,true,false,true,false,true/,
    'work that fails': /^fail work$/,
    'leaving while paused': /^(unsubscribe|stop) while paused$/,
    'an end': /^complete$/,
    'an error': /^failed$/,
  });

  fc.assert(
    fc.property(plans, stepLists, (plan, steps) => {
      const { highWaterMark, concurrency, content, poisonEvery } = plan;
      const flow = createFlowControl({ highWaterMark });
      const response = createPausableResponse();
      const invoke = fakeInvoke({ f: ({ options }) => response.respond(options.pauseWhile ?? flow.paused) });
      const isPoisoned = (value: number): boolean => value % poisonEvery === poisonEvery - 1;
      let sent = 0;

      let work: { readonly value: number; readonly subscriber: Subscriber<number> }[] = [];
      const project = (event: LambdaStreamEvent): Observable<number> => {
        const [value = 0] = event.type === 'chunk' ? event.payload : [];
        if (isPoisoned(value)) throw new Error('poisoned');
        return new Observable((subscriber) => {
          const own = { value, subscriber };
          work.push(own);
          subscriber.add(() => (work = work.filter((one) => one !== own)));
        });
      };

      const stops = new Subject<void>();
      const results: number[] = [];
      const endings: string[] = [];
      const pipeline = invoke(client, { FunctionName: 'f' }, { pauseWhile: flow.paused }).pipe(
        filter(({ type }) => type === 'chunk'),
        flow.mergeMap(project, concurrency),
        content === undefined ? (values) => values : take(content),
        takeUntil(stops),
      );
      const subscribe = (): (() => void) => {
        results.length = endings.length = 0;
        const subscription = pipeline.subscribe({
          next: (result) => results.push(result),
          error: () => endings.push('failed'),
          complete: () => endings.push('complete'),
        });
        return () => subscription.unsubscribe();
      };

      let unsubscribe = subscribe();
      let model: ModelWork = modelWork(plan, isPoisoned);
      let listens = true;

      function perform(step: Step): void {
        if (model.paused) ledger.note(`${step.step} while paused`);
        switch (step.step) {
          case 'subscribe':
            if (listens) return;
            model = modelWork(plan, isPoisoned);
            unsubscribe = subscribe();
            listens = true;
            break;
          case 'unsubscribe':
            model.end();
            unsubscribe();
            listens = false;
            break;
          case 'stop':
            if (listens) model.end('complete');
            stops.next();
            break;
          case 'read': {
            const next: ModelRead = {
              values: Array.from({ length: step.values }, () => sent++ % 256),
              ...(step.end && { end: step.end }),
            };
            if (listens) model.read(next);
            response.read(next);
            break;
          }
          case 'finish': {
            const one = work[step.which % work.length];
            if (!one) return;
            model.finish(one.value);
            one.subscriber.next(one.value);
            one.subscriber.complete();
            break;
          }
          case 'fail work': {
            const one = work[step.which % work.length];
            if (!one) return;
            ledger.note(step.step);
            model.end('failed');
            one.subscriber.error(new Error('failed'));
          }
        }
      }

      function check(): void {
        if (model.ending) listens = false;
        ledger.note(model.ending ?? '');
        if (model.paused) ledger.note('paused');
        ledger.note(String(model.pauses));
        const open = invoke.invocations.find(({ state }) => state === 'open');
        expect({
          paused: isPaused(flow),
          results,
          endings,
          active: work.map(({ value }) => value),
          pauses: open?.pauses.map(({ paused }) => paused),
          open: response.active,
        }).toEqual({
          paused: model.paused,
          results: model.results,
          endings: model.ending ? [model.ending] : [],
          active: model.active,
          pauses: model.isOpen ? model.pauses : undefined,
          open: model.isOpen ? 1 : 0,
        });
      }

      for (const step of [...steps, { step: 'unsubscribe' } as const]) {
        perform(step);
        check();
      }
      expect([response.active, work, isPaused(flow)]).toEqual([0, [], false]);
    }),
    runs(1_000),
  );
  ledger.expectAllMet();
});
