import { TooManyRequestsException } from '@aws-sdk/client-lambda';
import fc from 'fast-check';
import { config, Subject } from 'rxjs';
import { invokeWithResponseStream, TruncatedStreamError } from 'rx-lambda-stream';
import { describe, expect, it, vi } from 'vitest';
import { expectNoStrays } from '../support/no-strays.js';
import type { BodyKind } from './driven-body.js';
import type { Exchange } from './driven-client.js';
import { createLedger } from './ledger.js';
import { inWords } from './rules/events.js';
import { modelResponse, type ModelResponse } from './rules/exchange.js';
import { runs } from './runs.js';
import { turnOfTheEventLoop } from './turn.js';
import { useDrivenClient } from './use-driven-client.js';
import { wireDocuments, type WireDocument } from './wire-documents.js';
import { errorInWords, eventInWords } from './words.js';

expectNoStrays();

const driven = useDrivenClient();
const input = { FunctionName: 'f' };

type Step = (
  | { readonly step: 'subscribe' | 'come and go' | 'unsubscribe' | 'respond' | 'end' | 'break' | 'pause' | 'resume' }
  | { readonly step: 'bytes'; readonly count: number }
  /** The request comes to nothing. */
  | { readonly step: 'answer'; readonly how: 'refuse' | 'fail' | 'nothing to send' }
  /** The consumer does it itself, within the so-manieth event from now. */
  | { readonly step: 'within'; readonly event: number; readonly does: 'pause' | 'unsubscribe' }
) & {
  /** Whether the event loop turns before the next step. */
  readonly turns: boolean;
};

type Deed = Step extends infer S ? (S extends Step ? Omit<S, 'turns'> : never) : never;

const deeds: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc
      .oneof(fc.nat(20), fc.integer({ min: 20, max: 250 }), fc.constant(100_000))
      .map((count): Deed => ({ step: 'bytes', count })),
  },
  { weight: 6, arbitrary: fc.constant<Deed>({ step: 'respond' }) },
  { weight: 4, arbitrary: fc.constant<Deed>({ step: 'pause' }) },
  { weight: 6, arbitrary: fc.constant<Deed>({ step: 'resume' }) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.nat(4), fc.constantFrom('pause' as const, 'unsubscribe' as const))
      .map(([event, does]): Deed => ({ step: 'within', event, does })),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Deed[]>({ step: 'subscribe' }, { step: 'subscribe' }, { step: 'come and go' }),
  },
  { weight: 2, arbitrary: fc.constantFrom<Deed[]>({ step: 'end' }, { step: 'break' }, { step: 'unsubscribe' }) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('refuse' as const, 'fail' as const, 'nothing to send' as const)
      .map((how): Deed => ({ step: 'answer', how })),
  },
);

const stepLists: fc.Arbitrary<Step[]> = fc.noBias(
  fc.array(
    fc.tuple(deeds, fc.constantFrom(true, true, true, false)).map(([deed, turns]): Step => ({ ...deed, turns })),
    { maxLength: 40, size: 'max' },
  ),
);

const plans = fc.constantFrom('throw' as const, 'emit' as const).chain((functionErrors) =>
  fc.record({
    functionErrors: fc.constant(functionErrors),
    documents: fc.array(wireDocuments(functionErrors), { minLength: 1, maxLength: 3 }),
    heedsAborts: fc.boolean(),
  }),
);

/** One subscription, and what it is to come to. */
interface Life {
  readonly events: string[];
  readonly endings: string[];
  readonly document: WireDocument;
  /** Absent until the event loop has turned. */
  exchange?: Exchange;
  sent: number;
  model?: ModelResponse;
  /** How it ends without a response. */
  failure?: string;
  isBroken: boolean;
  hasLeft: boolean;
  /** While paused, so many events may have been delivered. */
  limit: number;
  /** How many were delivered when it left, or when the connection broke. */
  frozen?: number;
  plan?: { events: number; readonly does: 'pause' | 'unsubscribe' };
  unsubscribe(): void;
}

const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

describe.each<BodyKind>(['Node', 'web'])('with bodies of kind %s', (kind) => {
  it('a real client has at most one request a subscription, and closes it, in any order of steps', async () => {
    const ledger = createLedger({
      'an end': /^complete$/,
      'a failed function': /^FunctionError/,
      'an exception within the stream': /^TooManyRequestsException$/,
      'damaged bytes': /^ProtocolError$/,
      'an end that is none': /^truncated$/,
      'a request that cannot be sent': /^refused$/,
      'a subscription without a request': /^no request$/,
      'leaving before the headers': /^left before the headers$/,
      'headers after leaving': /^headers after leaving$/,
      'leaving within an event': /^left within an event$/,
      'bytes while paused': /^bytes while paused$/,
      'a pause within an event, with more of the same read behind it': /^rest of a read$/,
      'a connection that is kept': /^kept$/,
      'a connection that is given up': /^given up$/,
    });

    await fc.assert(
      fc.asyncProperty(plans, stepLists, async ({ functionErrors, documents, heedsAborts }, steps) => {
        const unhandled: unknown[] = [];
        config.onUnhandledError = (error) => unhandled.push(error);
        // Of a run that failed.
        vi.clearAllTimers();
        driven.reset(kind, heedsAborts);
        const pauses = new Subject<boolean>();
        const stream = invokeWithResponseStream(driven.client, input, { functionErrors, pauseWhile: pauses });
        const lives: Life[] = [];
        const isLive = ({ endings, hasLeft }: Life): boolean => endings.length === 0 && !hasLeft;

        function subscribe(): void {
          const life: Life = {
            events: [],
            endings: [],
            document: documents[lives.length % documents.length]!,
            sent: 0,
            isBroken: false,
            hasLeft: false,
            limit: Infinity,
            unsubscribe: () => subscription.unsubscribe(),
          };
          lives.push(life);
          const subscription = stream.subscribe({
            next(event) {
              life.events.push(eventInWords(event));
              actWithin(life);
            },
            error(error: unknown) {
              life.endings.push(endingInWords(error));
              if (error instanceof TruncatedStreamError) expect(error).toMatchObject(deliveredBy(life.events));
            },
            complete: () => life.endings.push('complete'),
          });
        }

        function actWithin(life: Life): void {
          if (!life.plan || life.plan.events-- > 0) return;
          const { does } = life.plan;
          delete life.plan;
          if (does === 'unsubscribe') {
            ledger.note('left within an event');
            leave(life);
          } else {
            pauses.next(true);
            // The head comes before any read; else what the read has brought is still delivered.
            const { length } = life.events;
            life.limit = length === 1 ? 1 : (life.model?.eventsOfReadsUpTo(length) ?? length);
            if (life.limit > life.events.length) ledger.note('rest of a read');
          }
        }

        function leave(life: Life): void {
          life.hasLeft = true;
          life.frozen = life.events.length;
          life.unsubscribe();
        }

        function perform(step: Step): void {
          const life = lives.at(-1);
          if (step.step === 'subscribe') {
            if (!life || !isLive(life)) subscribe();
            return;
          }
          if (step.step === 'come and go') {
            if (life && isLive(life)) return;
            // Before the request is signed.
            subscribe();
            leave(lives.at(-1)!);
            return;
          }
          if (!life) return;
          const { exchange, model } = life;
          switch (step.step) {
            case 'unsubscribe':
              if (!isLive(life)) return;
              if (exchange && !exchange.isAnswered) ledger.note('left before the headers');
              leave(life);
              break;
            case 'respond':
              if (!exchange || exchange.isAnswered) return;
              if (life.hasLeft) ledger.note('headers after leaving');
              exchange.respond();
              life.model = modelResponse(
                inWords({ type: 'head', statusCode: 200, requestId: `f#${exchange.number}` }),
                [...life.document.frames],
              );
              break;
            case 'answer':
              if (!exchange || exchange.isAnswered) return;
              if (step.how === 'refuse') {
                exchange.refuse();
                life.failure = 'TooManyRequestsException';
              } else if (step.how === 'fail') {
                exchange.fail(refused);
                life.failure = 'refused';
              } else {
                exchange.respond(204);
                const head = inWords({ type: 'head', statusCode: 204, requestId: `f#${exchange.number}` });
                life.model = modelResponse(head, [{ length: 0, ending: 'complete' }]);
              }
              break;
            case 'bytes': {
              if (!model || life.isBroken) return;
              if (life.limit < Infinity && isLive(life)) ledger.note('bytes while paused');
              const bytes = life.document.bytes.subarray(life.sent, life.sent + step.count);
              life.sent += bytes.length;
              // Of an empty read nobody is told.
              if (bytes.length === 0) return;
              model.read(bytes.length);
              exchange?.body?.push(bytes);
              break;
            }
            case 'end':
              if (life.isBroken) return;
              model?.end();
              exchange?.body?.end();
              break;
            case 'break':
              if (!model || life.isBroken || model.hasEnded) return;
              life.isBroken = true;
              life.frozen ??= life.events.length;
              exchange?.body?.break(new Error('reset'));
              break;
            case 'pause':
              pauses.next(true);
              // The head is not read from the body.
              life.limit = Math.max(1, life.events.length);
              break;
            case 'resume':
              life.limit = Infinity;
              pauses.next(false);
              break;
            case 'within':
              life.plan = { events: step.event, does: step.does };
          }
        }

        async function check(): Promise<void> {
          await turnOfTheEventLoop();
          assignExchanges();
          for (const life of lives) checkLife(life);
          // Of a complete response the body is read on to its end, for so long as a timer says, and of no other.
          const ending = lives.filter((life) => isKept(life) && life.exchange?.body?.isReleased === false);
          expect(vi.getTimerCount()).toBe(ending.length);
          expect(unhandled).toEqual([]);
        }

        /** Each that listens has a request by now, and none has two. */
        function assignExchanges(): void {
          const life = lives.at(-1);
          if (life && isLive(life)) life.exchange ??= driven.exchanges.at(-1)!;
          for (const { exchange } of lives) if (!exchange) ledger.note('no request');
          const theirs = lives.flatMap(({ exchange }) => exchange ?? []);
          expect(driven.exchanges.length).toBe(theirs.length);
          expect(driven.exchanges.every((one, index) => one === theirs[index])).toBe(true);
        }

        function checkLife(life: Life): void {
          const { events, endings, exchange, model, failure, hasLeft, isBroken, limit, frozen = 0 } = life;
          for (const ending of endings) ledger.note(ending);
          if (hasLeft) {
            expect([events.length, endings]).toEqual([frozen, []]);
            expect(exchange?.isAborted ?? true).toBe(!isKept(life));
            if (!isKept(life)) expect(exchange?.body?.isReleased ?? true).toBe(true);
            return;
          }
          if (!model) {
            expect([events, endings]).toEqual([[], failure === undefined ? [] : [failure]]);
            expect(exchange?.isAborted).toBe(failure !== undefined);
            return;
          }
          const available = model.events;
          const isPaused = limit < Infinity;
          expect(events).toEqual(available.slice(0, events.length));
          if (isBroken) {
            // What was not read by then may be lost; while paused, the break may show later.
            expect(events.length).toBeGreaterThanOrEqual(Math.min(frozen, available.length));
            if (endings.length === 0 && isPaused) return;
            const wholeEnding = events.length === available.length ? model.ending : undefined;
            expect([['truncated'], [wholeEnding]]).toContainEqual(endings);
          } else if (isPaused && limit < available.length) {
            expect([events.length, endings]).toEqual([limit, []]);
          } else if (isPaused) {
            expect(events.length).toBe(available.length);
          } else {
            expect([events.length, endings]).toEqual([
              available.length,
              model.ending === undefined ? [] : [model.ending],
            ]);
          }
          checkConnection(life);
        }

        function checkConnection(life: Life): void {
          const { endings, exchange, document, model } = life;
          const hasFailed = endings.length > 0 && !isKept(life);
          expect(exchange?.isAborted).toBe(hasFailed);
          const body = exchange?.body;
          if (hasFailed) expect(body?.isReleased).toBe(true);
          if (!isKept(life) || !model?.hasEnded || document.trailing > 60_000) return;
          ledger.note('kept');
          expect([body?.isReleased, body?.isClosedEarly]).toEqual([true, false]);
        }

        subscribe();
        await check();
        for (const step of steps) {
          perform(step);
          if (step.turns) await check();
        }
        await check();

        perform({ step: 'unsubscribe', turns: true });
        await check();
        if (vi.getTimerCount() > 0) ledger.note('given up');
        vi.advanceTimersByTime(1_000);
        await check();
        expect(vi.getTimerCount()).toBe(0);
        expect(pauses.observed).toBe(false);
        for (const { abortListeners, body } of driven.exchanges) {
          expect(abortListeners).toBe(0);
          expect(body?.isReleased ?? true).toBe(true);
        }
      }),
      runs(300),
    );
    ledger.expectAllMet();
  });
});

/** Whether the response is complete, so that its connection can be used again: with its last event it is. */
function isKept({ events, endings: [ending], hasLeft }: Life): boolean {
  if (hasLeft) return /^complete|^head 204/.test(events.at(-1) ?? '');
  return ending === 'complete' || ending?.startsWith('FunctionError') === true;
}

function endingInWords(error: unknown): string {
  if (error instanceof TooManyRequestsException) return 'TooManyRequestsException';
  if (error instanceof TruncatedStreamError) return 'truncated';
  return error === refused ? 'refused' : errorInWords(error);
}

/** What a TruncatedStreamError is to say of these events. */
function deliveredBy(events: readonly string[]): { chunks: number; bytes: number } {
  const payloads = events.filter((event) => event.startsWith('chunk ')).map((event) => event.slice('chunk '.length));
  return { chunks: payloads.length, bytes: payloads.join('').length };
}
