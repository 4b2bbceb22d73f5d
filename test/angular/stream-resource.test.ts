// @vitest-environment jsdom
import {
  ApplicationRef,
  Component,
  Injector,
  makeStateKey,
  PLATFORM_ID,
  signal,
  TransferState,
  untracked,
  type Resource,
  type ResourceStatus,
  type WritableSignal,
} from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { distinctUntilChanged, interval, map, NEVER, of, startWith, Subject, takeWhile, Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, test, vi } from 'vitest';
import { streamResource, type StreamResource } from '../../src/angular/stream-resource.js';
import { TruncatedStreamError } from '../../src/errors.js';
import type { LambdaStreamEvent } from '../../src/events.js';
import { chunkEvent, completeEvent, headEvent } from '../../src/testing/event-builders.js';
import { serviceException } from '../../src/testing/service-exception.js';
import { marbles } from '../support/marbles.js';
import { useTestBed } from './test-bed.js';

useTestBed();

interface Seen {
  readonly status: ResourceStatus;
  readonly text: string;
}

/** What a view shows that change detection renders once a millisecond, until the stream's end. */
function rendered(resource: StreamResource): Observable<Seen> {
  return interval(1).pipe(
    startWith(0),
    map(() => {
      TestBed.tick();
      return untracked((): Seen => ({ status: resource.status(), text: resource.text() }));
    }),
    distinctUntilChanged((a, b) => a.status === b.status && a.text === b.text),
    takeWhile(({ status }) => status === 'loading' || status === 'reloading', true),
  );
}

describe('streamResource', () => {
  test(
    'follows a stream, at most one change a frame, and the end at once',
    marbles((m) => {
      const values = {
        h: headEvent(),
        a: chunkEvent('a'),
        b: chunkEvent('b'),
        c: chunkEvent('c'),
        e: completeEvent(),
      };
      const source = m.cold('h-a-b----------------c--(e|)', values);
      const result = '       s---------------t-------(u|)';
      const subscription = ' ^-----------------------!';

      const resource = TestBed.runInInjectionContext(() =>
        streamResource({ params: () => 'Hello?', stream: () => source }),
      );
      m.expect(rendered(resource)).toBeObservable(result, {
        s: { status: 'loading', text: '' },
        t: { status: 'loading', text: 'ab' },
        u: { status: 'resolved', text: 'abc' },
      });
      m.expect(source).toHaveSubscriptions(subscription);
    }),
  );

  test(
    'keeps the text of a stream that breaks',
    marbles((m) => {
      const source = m.cold('a--#', { a: chunkEvent('half') });
      const result = '       s--(t|)';
      const resource = TestBed.runInInjectionContext(() => streamResource({ params: () => 1, stream: () => source }));
      m.expect(rendered(resource)).toBeObservable(result, {
        s: { status: 'loading', text: '' },
        t: { status: 'error', text: 'half' },
      });
    }),
  );
});

describe('a resource', () => {
  let prompt: WritableSignal<string | undefined>;
  let asked: string[];
  /** One for each subscription. */
  let answers: Subject<LambdaStreamEvent>[];
  let resource: StreamResource;

  beforeEach(() => {
    vi.useFakeTimers();
    prompt = signal<string | undefined>('one');
    asked = [];
    answers = [];
  });
  afterEach(() => vi.useRealTimers());

  function create(options: { readonly id?: string; readonly injector?: Injector } = {}): void {
    resource = streamResource({
      params: () => prompt(),
      stream({ params }) {
        asked.push(params);
        const answer = new Subject<LambdaStreamEvent>();
        answers.push(answer);
        return answer;
      },
      injector: TestBed.inject(Injector),
      ...options,
    });
    TestBed.tick();
  }

  /** Lets a frame pass, and renders. */
  function pass(ms = 16): void {
    vi.advanceTimersByTime(ms);
    TestBed.tick();
  }

  const state = (): unknown[] => [resource.status(), resource.text(), resource.progress()?.status];

  it('asks nothing before change detection has run, and once after it', () => {
    const stream = vi.fn(() => NEVER);
    resource = streamResource({ params: () => 1, stream, injector: TestBed.inject(Injector) });
    expect(state()).toEqual(['loading', '', undefined]);
    expect(stream).not.toHaveBeenCalled();
    TestBed.tick();
    TestBed.tick();
    expect(stream).toHaveBeenCalledOnce();
    expect(state()).toEqual(['loading', '', 'connecting']);
  });

  it('is loading until the end, with the text so far as its value', () => {
    create();
    expect([resource.isLoading(), resource.hasValue(), resource.value()]).toEqual([true, false, '']);
    answers[0]!.next(chunkEvent('a'));
    pass();
    expect(state()).toEqual(['loading', 'a', 'streaming']);
    expect([resource.isLoading(), resource.hasValue(), resource.value()]).toEqual([true, true, 'a']);
    expect(resource.snapshot()).toEqual({ status: 'loading', value: 'a' });
    answers[0]!.next(completeEvent());
    answers[0]!.complete();
    expect(state()).toEqual(['resolved', 'a', 'complete']);
    expect([resource.isLoading(), resource.hasValue(), resource.value()]).toEqual([false, true, 'a']);
    expect(resource.snapshot()).toEqual({ status: 'resolved', value: 'a' });
  });

  it('is resolved, and has a value, where the response is empty', () => {
    create();
    answers[0]!.complete();
    expect([resource.status(), resource.hasValue(), resource.value()]).toEqual(['resolved', true, '']);
  });

  it('throws in its value after a failure, as Angular’s resources do, and keeps the text', () => {
    create();
    const failure = new TruncatedStreamError({ functionName: 'chat', chunks: 1, bytes: 4 });
    answers[0]!.next(chunkEvent('half'));
    answers[0]!.error(failure);
    expect(state()).toEqual(['error', 'half', 'failed']);
    expect(resource.error()).toBe(failure);
    expect(() => resource.value()).toThrow(expect.objectContaining({ cause: failure }) as Error);
    expect([resource.hasValue(), resource.isLoading()]).toEqual([false, false]);
    expect(resource.snapshot()).toEqual({ status: 'error', error: failure });
  });

  it('has an Error also where the thrown value is not an Error', () => {
    const failing = new Observable<never>((subscriber) => subscriber.error('text'));
    resource = streamResource({
      params: () => 1,
      stream: () => failing,
      injector: TestBed.inject(Injector),
    });
    TestBed.tick();
    expect(resource.error()).toBeInstanceOf(Error);
    expect(resource.error()?.cause).toBe('text');
  });

  it('closes the connection for other parameters, and begins with an empty text', () => {
    create();
    answers[0]!.next(chunkEvent('first'));
    pass();
    prompt.set('two');
    // At once, before change detection: the old answer never stands under the new question.
    expect(state()).toEqual(['loading', '', undefined]);
    TestBed.tick();
    expect(answers.map(({ observed }) => observed)).toEqual([false, true]);
    expect(asked).toEqual(['one', 'two']);
    expect(state()).toEqual(['loading', '', 'connecting']);
  });

  it('goes on where the parameters are the same value', () => {
    const unrelated = signal(0);
    const stream = vi.fn(() => NEVER);
    streamResource({ params: () => (unrelated(), 'same'), stream, injector: TestBed.inject(Injector) });
    TestBed.tick();
    unrelated.set(1);
    TestBed.tick();
    expect(stream).toHaveBeenCalledOnce();
  });

  it('watches no signal that the stream function reads', () => {
    const other = signal(0);
    const stream = vi.fn(() => of(chunkEvent(String(other()))));
    streamResource({ params: () => 1, stream, injector: TestBed.inject(Injector) });
    TestBed.tick();
    other.set(1);
    TestBed.tick();
    expect(stream).toHaveBeenCalledOnce();
  });

  it('closes the connection where the parameters become undefined, and keeps the text', () => {
    create();
    answers[0]!.next(chunkEvent('half'));
    pass();
    prompt.set(undefined);
    expect(state()).toEqual(['idle', 'half', undefined]);
    expect([resource.value(), resource.hasValue(), resource.snapshot()]).toEqual([
      '',
      false,
      { status: 'idle', value: '' },
    ]);
    TestBed.tick();
    expect(answers[0]!.observed).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('asks nothing while the parameters are undefined', () => {
    prompt.set(undefined);
    create();
    expect([asked, ...state()]).toEqual([[], 'idle', '', undefined]);
    expect(resource.reload()).toBe(false);
    prompt.set('now');
    TestBed.tick();
    expect(asked).toEqual(['now']);
  });

  it('closes the connection on destroy(), and is idle for good', () => {
    create();
    answers[0]!.next(chunkEvent('half'));
    pass();
    resource.destroy();
    expect(answers[0]!.observed).toBe(false);
    expect(state()).toEqual(['idle', 'half', undefined]);
    prompt.set('two');
    TestBed.tick();
    expect([asked, resource.reload(), resource.status()]).toEqual([['one'], false, 'idle']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('asks again on reload(), and keeps the text until there is new text', () => {
    create();
    expect(resource.reload()).toBe(false);
    answers[0]!.next(chunkEvent('old'));
    answers[0]!.complete();
    expect(resource.reload()).toBe(true);
    expect(state()).toEqual(['reloading', 'old', undefined]);
    TestBed.tick();
    expect([asked, ...state()]).toEqual([['one', 'one'], 'reloading', 'old', 'connecting']);
    expect([resource.reload(), resource.isLoading()]).toEqual([false, true]);
    answers[1]!.next(headEvent());
    pass();
    expect(state()).toEqual(['reloading', 'old', 'streaming']);
    answers[1]!.next(chunkEvent('new'));
    pass();
    expect(state()).toEqual(['reloading', 'new', 'streaming']);
    answers[1]!.complete();
    expect(state()).toEqual(['resolved', 'new', 'complete']);
    prompt.set('two');
    expect(state()).toEqual(['loading', '', undefined]);
  });

  it('is empty after a reload that brought nothing', () => {
    create();
    answers[0]!.next(chunkEvent('old'));
    answers[0]!.complete();
    resource.reload();
    TestBed.tick();
    answers[1]!.complete();
    expect(state()).toEqual(['resolved', '', 'complete']);
  });

  it('reloads after a failure', () => {
    create();
    answers[0]!.error(new Error('broken'));
    expect(resource.reload()).toBe(true);
    TestBed.tick();
    expect([resource.status(), resource.error(), resource.value()]).toEqual(['reloading', undefined, '']);
  });

  it('fails where the stream function throws, or returns no Observable', () => {
    const thrown = new Error('no such stream');
    const injector = TestBed.inject(Injector);
    const throwing = streamResource({
      params: () => 1,
      stream: () => {
        throw thrown;
      },
      injector,
    });
    const wrong = streamResource({ params: () => 1, stream: () => 7 as unknown as Observable<never>, injector });
    TestBed.tick();
    expect([throwing.status(), throwing.error()]).toEqual(['error', thrown]);
    expect([wrong.status(), wrong.error()]).toEqual(['error', expect.any(TypeError)]);
  });

  it('is an error while the parameters cannot be made, and recovers', () => {
    const broken = signal(true);
    const thrown = new Error('another resource has failed');
    const stream = vi.fn(() => of(completeEvent()));
    resource = streamResource({
      params() {
        if (broken()) throw thrown;
        return 1;
      },
      stream,
      injector: TestBed.inject(Injector),
    });
    TestBed.tick();
    expect([resource.status(), resource.error(), resource.text(), resource.reload()]).toEqual([
      'error',
      thrown,
      '',
      false,
    ]);
    expect(stream).not.toHaveBeenCalled();
    broken.set(false);
    TestBed.tick();
    expect(resource.status()).toBe('resolved');
  });

  it('closes the connection when its component is destroyed', () => {
    const Host = Component({ selector: 'host-of-a-resource', template: '{{ resource.text() }}' })(
      class {
        readonly resource = streamResource({ params: () => prompt(), stream: () => answers[0]! });
      },
    );
    answers.push(new Subject());
    const fixture = TestBed.createComponent(Host);
    fixture.detectChanges();
    answers[0]!.next(chunkEvent('shown'));
    pass();
    expect((fixture.nativeElement as HTMLElement).textContent).toBe('shown');
    fixture.destroy();
    expect(answers[0]!.observed).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves the application stable while it streams, so that a page hydrates', () => {
    create();
    let isStable: boolean | undefined;
    TestBed.inject(ApplicationRef).isStable.subscribe((stable) => (isStable = stable));
    expect([resource.status(), isStable]).toEqual(['loading', true]);
  });

  describe('on a server', () => {
    beforeEach(() => void TestBed.overrideProvider(PLATFORM_ID, { useValue: 'server' }));

    it('invokes nothing without an id', () => {
      create();
      expect([asked, ...state()]).toEqual([[], 'loading', '', undefined]);
    });

    it('waits for the end with an id, and hands over the text but not the parameters', async () => {
      create({ id: 'answer' });
      let isStable = false;
      void TestBed.inject(ApplicationRef)
        .whenStable()
        .then(() => (isStable = true));
      answers[0]!.next(chunkEvent('whole'));
      pass();
      await vi.advanceTimersByTimeAsync(1_000);
      expect(isStable).toBe(false);
      answers[0]!.next(completeEvent());
      answers[0]!.complete();
      TestBed.tick();
      await vi.advanceTimersByTimeAsync(0);
      expect([isStable, ...state()]).toEqual([true, 'resolved', 'whole', 'complete']);
      const json = TestBed.inject(TransferState).toJson();
      expect(json).toContain('whole');
      expect(json).not.toContain('one');
    });

    it('hands over a failure by its name, not by its message', () => {
      create({ id: 'answer' });
      answers[0]!.next(chunkEvent('half'));
      answers[0]!.error(Object.assign(new Error('secret'), { name: 'AccessDeniedException' }));
      const json = TestBed.inject(TransferState).toJson();
      expect(json).toContain('AccessDeniedException');
      expect(json).not.toContain('secret');
    });

    it('is stable where it is left before the end', async () => {
      create({ id: 'answer' });
      prompt.set(undefined);
      TestBed.tick();
      await TestBed.inject(ApplicationRef).whenStable();
      expect([answers[0]!.observed, TestBed.inject(TransferState).isEmpty]).toEqual([false, true]);
    });
  });

  describe('in a page that a server rendered', () => {
    /** What a server's application hands over for the prompt `one`. */
    function render(end: (answer: Subject<LambdaStreamEvent>) => void): void {
      TestBed.overrideProvider(PLATFORM_ID, { useValue: 'server' });
      create({ id: 'answer' });
      end(answers[0]!);
      const json = TestBed.inject(TransferState).toJson();
      TestBed.resetTestingModule();
      const state = TestBed.inject(TransferState);
      for (const [key, value] of Object.entries(JSON.parse(json) as object)) state.set(makeStateKey(key), value);
      asked.length = answers.length = 0;
    }

    const complete = (answer: Subject<LambdaStreamEvent>): void => {
      answer.next(chunkEvent('whole'));
      answer.complete();
    };

    it('shows what was handed over, and asks nothing', () => {
      render(complete);
      create({ id: 'answer' });
      expect([asked, ...state()]).toEqual([[], 'resolved', 'whole', 'complete']);
      expect(resource.progress()).toMatchObject({ bytes: 5, chunks: 1 });
    });

    it('has it when its component first renders', () => {
      render(complete);
      const texts: string[] = [];
      const Host = Component({ selector: 'host-of-a-page', template: '{{ see() }}' })(
        class {
          readonly resource = streamResource({ params: () => prompt(), stream: () => NEVER, id: 'answer' });
          see(): string {
            texts.push(this.resource.text());
            return this.resource.text();
          }
        },
      );
      TestBed.createComponent(Host).detectChanges();
      expect(new Set(texts)).toEqual(new Set(['whole']));
    });

    it('asks for other parameters, and on a reload', () => {
      render(complete);
      create({ id: 'answer' });
      resource.reload();
      TestBed.tick();
      expect([asked, resource.text()]).toEqual([['one'], 'whole']);
      prompt.set('two');
      TestBed.tick();
      expect([asked, resource.text()]).toEqual([['one', 'two'], '']);
      prompt.set('one');
      TestBed.tick();
      expect(asked).toEqual(['one', 'two', 'one']);
    });

    it('invokes where the server had other parameters, or another id', () => {
      render(complete);
      prompt.set('two');
      create({ id: 'answer' });
      expect([asked, ...state()]).toEqual([['two'], 'loading', '', 'connecting']);
      resource.destroy();
      create({ id: 'other' });
      expect(asked).toEqual(['two', 'two']);
    });

    it('is in the server’s error, and asks when told to', () => {
      render((answer) => {
        answer.next(chunkEvent('half'));
        answer.error(serviceException('TooManyRequestsException'));
      });
      create({ id: 'answer' });
      expect([asked, ...state()]).toEqual([[], 'error', 'half', 'failed']);
      expect(resource.error()?.name).toBe('TooManyRequestsException');
      expect(resource.reload()).toBe(true);
    });
  });

  it('is an Angular Resource, with parameters of the type that `params` returns', () => {
    expectTypeOf<StreamResource>().toExtend<Resource<string>>();
    streamResource({
      params: () => (prompt() === undefined ? undefined : { id: 7 }),
      stream({ params }) {
        expectTypeOf(params).toEqualTypeOf<{ id: number }>();
        return NEVER;
      },
      injector: TestBed.inject(Injector),
    });
  });

  it('refuses options that can never be used, by name', () => {
    const injector = TestBed.inject(Injector);
    const call =
      (options: object): (() => unknown) =>
      () =>
        streamResource(options as Parameters<typeof streamResource>[0]);
    const options = { params: () => 1, stream: () => NEVER, injector };
    expect(call({ ...options, params: 1 })).toThrow(new TypeError('streamResource: params must be a function, not 1'));
    expect(call({ ...options, stream: NEVER })).toThrow('streamResource: stream must be a function, not an Observable');
    expect(call({ ...options, id: 7 })).toThrow('streamResource: id must be a string, not 7');
    expect(call({ ...options, injector: {} })).toThrow('streamResource: injector must be an Injector, not an object');
    expect(call(undefined as never)).toThrow('streamResource: options must be an object such as { params, stream }');
    expect(call({ params: () => 1, stream: () => NEVER })).toThrow('NG0203');
  });
});
