import type { StandardSchemaV1 } from '@standard-schema/spec';
import fc from 'fast-check';
import { config, take } from 'rxjs';
import { createRetryBudget, parseNdjson, type InvalidRecordError } from 'rx-lambda-stream';
import { fakeInvoke } from 'rx-lambda-stream/testing';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { expectNoStrays } from '../support/no-strays.js';
import { createDrivenFunction } from './driven-function.js';
import { createLedger } from './ledger.js';
import { createModelClock } from './rules/clock.js';
import { modelInvocation } from './rules/invocation.js';
import {
  isJudgedAtOnce,
  isRefusedAtOnce,
  modelRecords,
  type ModelRecords,
  type RecordsPlan,
  type SchemaAnswer,
} from './rules/records.js';
import { invocationOperators } from './pipeline.js';
import { plans, type Plan } from './plan.js';
import { runs } from './runs.js';
import { responseSteps, type ResponseStep } from './steps.js';
import { errorInWords } from './words.js';

expectNoStrays();

beforeEach(() => {
  // Promises are real here, and so is the turn of the event loop that is awaited after a step.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
  config.onUnhandledError = null;
});

type Step = (
  | { readonly step: 'subscribe' | 'unsubscribe' }
  | { readonly step: 'response'; readonly response: ResponseStep }
  | { readonly step: 'answer'; readonly which: number; readonly answer: SchemaAnswer }
  | { readonly step: 'wait'; readonly ms: number }
) & {
  /** Whether the event loop turns before the next step. */
  readonly turns: boolean;
};

const turns = fc.constantFrom(true, true, false);
const stepLists = fc.noBias(
  fc.array(
    fc.oneof(
      {
        weight: 10,
        arbitrary: fc.tuple(responseSteps, turns).map(
          // prettier-ignore
          ([response, turn]): Step => ({ step: 'response', response, turns: turn }),
        ),
      },
      {
        weight: 10,
        arbitrary: fc
          .tuple(fc.nat(9), fc.constantFrom<SchemaAnswer>('accept', 'accept', 'accept', 'refuse', 'reject'), turns)
          .map(([which, answer, turn]): Step => ({ step: 'answer', which, answer, turns: turn })),
      },
      {
        weight: 3,
        arbitrary: fc
          .tuple(fc.constantFrom(0, 10, 1_000), turns)
          .map(([ms, turn]): Step => ({ step: 'wait', ms, turns: turn })),
      },
      { weight: 2, arbitrary: turns.map((turn): Step => ({ step: 'subscribe', turns: turn })) },
      { weight: 1, arbitrary: turns.map((turn): Step => ({ step: 'unsubscribe', turns: turn })) },
    ),
    { maxLength: 40, size: 'max' },
  ),
);

const documents = fc
  .array(fc.constantFrom('1\n', '2\r\n', '"€"\n', '6\n', '9\n', '\n', 'word\n', '3'), { maxLength: 16, size: 'max' })
  .map((pieces) => String.fromCharCode(...new TextEncoder().encode(pieces.join(''))));

const recordPlans: fc.Arbitrary<RecordsPlan> = fc.record({
  onInvalid: fc.constantFrom('error', 'skip', 'skip', 'tell'),
  maxPendingBytes: fc.constantFrom(4, 1_000, 1_000),
  take: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined, freq: 3 }),
});

const invocationPlans: fc.Arbitrary<Plan> = plans({ share: false }).chain((plan) =>
  fc.array(documents, { minLength: 1, maxLength: 3 }).map(([first = '', ...others]): Plan => {
    // A prologue speaks before anybody can be asked what the turn of the event loop is.
    const isSame = plan.retry?.afterFirstChunk === 'replay';
    const responses = others.map((document) => ({ document: isSame ? first : document, prologue: [] }));
    return { ...plan, responses: [{ document: first, prologue: [] }, ...responses] };
  }),
);

const client = { send: () => Promise.reject(new Error('not used')) };

it('records come in order through an asynchronous schema, and nothing of it outlives the subscription', async () => {
  const ledger = createLedger({
    'a record that the schema accepts later': /^accept$/,
    'an answer to what a retry has voided, or a consumer left behind': /^stale answer$/,
    'an end that waits for records': /^end is held$/,
    'a record that is refused': /^InvalidRecordError/,
    'a schema that fails': /^rejected$/,
    'more waiting than the limit allows': /^ResponseTooLargeError/,
    'an invalid record that is told': /^invalid in line/,
    'an end': /^complete$/,
    'a source error behind the records': /^reset$/,
  });

  await fc.assert(
    fc.asyncProperty(invocationPlans, recordPlans, stepLists, async (plan, recordsPlan, steps) => {
      const unhandled: unknown[] = [];
      config.onUnhandledError = (error) => unhandled.push(error);
      // Of a run that failed.
      vi.clearAllTimers();

      const clock = createModelClock();
      const driven = createDrivenFunction(plan, 'f');
      const invocation = modelInvocation(plan, 'f', clock, { left: plan.retry?.budget?.capacity ?? 0 });
      const budget = plan.retry?.budget && createRetryBudget(plan.retry.budget);

      interface Life {
        readonly model: ModelRecords;
        readonly values: string[];
        readonly endings: string[];
        readonly questions: ((answer: SchemaAnswer) => void)[];
        unsubscribe(): void;
      }
      const lives: Life[] = [];

      function subscribe(): void {
        const model = modelRecords(recordsPlan, invocation);
        const values: string[] = [];
        const endings: string[] = [];
        const questions: ((answer: SchemaAnswer) => void)[] = [];
        const schema: StandardSchemaV1<unknown, string> = {
          '~standard': {
            version: 1,
            vendor: 'test',
            validate(record) {
              const accepted = { value: JSON.stringify(record) };
              const refused = { issues: [{ message: 'no' }] };
              if (isJudgedAtOnce(record)) return isRefusedAtOnce(record) ? refused : accepted;
              return new Promise((resolve, reject) => {
                questions.push((answer) => {
                  if (answer === 'reject') reject(rejection);
                  else resolve(answer === 'accept' ? accepted : refused);
                });
              });
            },
          },
        };
        const tell = ({ line, offset }: InvalidRecordError): void => {
          values.push(`invalid in line ${line}, byte ${offset}`);
        };
        const { onInvalid, maxPendingBytes, take: content } = recordsPlan;
        model.subscribe();
        const subscription = fakeInvoke({ f: driven.respond() })(client, { FunctionName: 'f' }, plan)
          .pipe(
            invocationOperators(plan, budget),
            parseNdjson({ schema, maxPendingBytes, onInvalid: onInvalid === 'tell' ? tell : onInvalid }),
            take(content ?? Infinity),
          )
          .subscribe({
            next: (value) => values.push(value),
            error: (error: unknown) => endings.push(error === rejection ? 'rejected' : errorInWords(error)),
            complete: () => endings.push('complete'),
          });
        lives.push({ model, values, endings, questions, unsubscribe: () => subscription.unsubscribe() });
      }

      function perform(step: Step): void {
        const life = lives.at(-1);
        switch (step.step) {
          case 'subscribe':
            if (!life?.model.listens) subscribe();
            break;
          case 'unsubscribe':
            life?.model.unsubscribe();
            life?.unsubscribe();
            break;
          case 'response':
            invocation.take(step.response);
            driven.take(step.response);
            if (!invocation.open && life?.model.listens && clock.pending === 0) ledger.note('end is held');
            break;
          case 'answer': {
            // Mostly the last question, at times an old one.
            const { length } = life?.questions ?? [];
            const question = step.which < 7 ? length - 1 : step.which % Math.max(1, length);
            ledger.note(life?.model.listens ? step.answer : 'stale answer');
            life?.model.answer(question, step.answer);
            life?.questions[question]?.(step.answer);
            break;
          }
          case 'wait':
            clock.advance(step.ms);
            vi.advanceTimersByTime(step.ms);
        }
      }

      async function checkAfterTurn(): Promise<void> {
        await new Promise((resolve) => setImmediate(resolve));
        lives.at(-1)?.model.turn();
        expect({
          active: driven.activations - driven.teardowns,
          activations: driven.activations,
          timers: vi.getTimerCount(),
          lives: lives.map(({ values, endings, questions }) => ({ values, endings, asked: questions.length })),
          unhandled,
        }).toEqual({
          active: invocation.open ? 1 : 0,
          activations: invocation.activations,
          timers: clock.pending,
          lives: lives.map(({ model: { values, ending, asked } }) => ({
            values,
            endings: ending === undefined ? [] : [ending],
            asked,
          })),
          unhandled: [],
        });
      }

      subscribe();
      for (const step of steps) {
        perform(step);
        if (step.turns) await checkAfterTurn();
      }
      await checkAfterTurn();
      perform({ step: 'unsubscribe', turns: true });
      // What is answered now, nobody hears.
      for (const { questions } of lives) for (const answer of questions) answer('reject');
      await checkAfterTurn();
      expect([driven.activations - driven.teardowns, vi.getTimerCount()]).toEqual([0, 0]);
      for (const { values, endings } of lives) for (const what of [...values, ...endings]) ledger.note(what);
    }),
    runs(400),
  );
  ledger.expectAllMet();
});

const rejection = new Error('the schema failed');
