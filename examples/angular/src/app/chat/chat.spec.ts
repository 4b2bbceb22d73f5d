import { TestBed, type ComponentFixture } from '@angular/core/testing';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { TruncatedStreamError, type LambdaStreamEvent } from 'rx-lambda-stream';
import { chunkEvent, completeEvent, fakeInvoke, headEvent, serviceException } from 'rx-lambda-stream/testing';
import { Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { INVOKE } from '../lambda/lambda-streams';
import { Chat } from './chat';

describe('the chat', () => {
  let fixture: ComponentFixture<Chat>;
  let page: HTMLElement;
  /** One for each invocation: what the function answers, when the test says so. */
  let answers: Subject<LambdaStreamEvent>[];
  let invoke: ReturnType<typeof fakeInvoke>;

  beforeEach(() => {
    vi.useFakeTimers();
    answers = [];
    invoke = fakeInvoke({
      chat: () => {
        const answer = new Subject<LambdaStreamEvent>();
        answers.push(answer);
        return answer;
      },
    });
    TestBed.configureTestingModule({
      providers: [
        { provide: INVOKE, useValue: invoke },
        { provide: LambdaClient, useValue: {} },
      ],
    });
    fixture = TestBed.createComponent(Chat);
    page = fixture.nativeElement as HTMLElement;
    fixture.detectChanges();
  });

  afterEach(() => vi.useRealTimers());

  const query = <T extends HTMLElement>(selector: string): T => {
    const found = page.querySelector<T>(selector);
    if (found === null) throw new Error(`The page has no ${selector}`);
    return found;
  };
  const button = (): HTMLButtonElement => query('form button');
  const status = (turn = 0): string => page.querySelectorAll('.status')[turn]?.textContent.trim() ?? '';
  const text = (turn = 0): string => page.querySelectorAll('.answer')[turn]?.textContent ?? '';
  const announced = (): string[] => [...query('[aria-live=polite]').children].map((child) => child.textContent);

  /** Lets so much time pass, and renders. */
  function pass(ms = 16): void {
    vi.advanceTimersByTime(ms);
    fixture.detectChanges();
  }

  function ask(question: string): void {
    query<HTMLTextAreaElement>('textarea').value = question;
    query('textarea').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
    fixture.detectChanges();
  }

  it('invokes nothing before a question', () => {
    expect(invoke.subscriptions).toBe(0);
    expect(button().textContent.trim()).toBe('Send');
  });

  it('sends the question, and connects', () => {
    ask('Hello?');
    expect(invoke.inputs).toEqual([{ FunctionName: 'chat', Payload: { prompt: 'Hello?' } }]);
    expect(query('.question').textContent).toContain('Hello?');
    expect(status()).toBe('Connecting…');
    expect(button().textContent.trim()).toBe('Stop');
  });

  it('sends nothing for an empty question, nor for Enter that ends a composed character', () => {
    ask('  ');
    query<HTMLTextAreaElement>('textarea').value = '日本';
    query('textarea').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true }));
    expect(invoke.subscriptions).toBe(0);
  });

  it('shows the text as it streams in, and that it is complete', () => {
    ask('Hello?');
    answers[0]?.next(headEvent());
    answers[0]?.next(chunkEvent('Two\nli'));
    pass();
    expect([...page.querySelectorAll('.answer p')].map((line) => line.textContent)).toEqual(['Two', 'li']);
    expect(status()).toContain('Streaming · 1 chunk in');
    answers[0]?.next(chunkEvent('nes'));
    answers[0]?.next(completeEvent());
    pass(0);
    expect(text()).toBe('Twolines');
    expect(status()).toContain('Complete · 2 chunks');
    expect(button().textContent.trim()).toBe('Send');
  });

  it('writes the signal once a frame, however many chunks come', () => {
    ask('Much?');
    for (let chunk = 0; chunk < 10_000; chunk++) answers[0]?.next(chunkEvent('x'));
    pass();
    // Connecting, and the 10,000 chunks.
    expect(status()).toBe('Streaming · 10,000 chunks in 2 updates');
  });

  it('counts down to the next attempt, and says so to a screen reader once', () => {
    ask('Hello?');
    const busy = serviceException('TooManyRequestsException', { retryAfterSeconds: 3 });
    answers[0]?.error(busy);
    pass();
    expect(status()).toBe('Too many requests right now. Retrying in 3 s, attempt 2');
    expect(announced()).toEqual(['Attempt 2 follows.']);
    pass(1_000);
    expect(status()).toContain('Retrying in 2 s');
    expect(announced()).toEqual(['Attempt 2 follows.']);
    expect(invoke.subscriptions).toBe(1);
    pass(10_000);
    expect(invoke.subscriptions).toBe(2);
    answers[1]?.next(headEvent());
    answers[1]?.next(chunkEvent('At last.'));
    answers[1]?.next(completeEvent());
    pass();
    expect(text()).toBe('At last.');
  });

  it('keeps the partial text of an answer that fails, and asks again when told to', () => {
    ask('Hello?');
    answers[0]?.next(chunkEvent('Half of the ans'));
    answers[0]?.error(new TruncatedStreamError({ functionName: 'chat', chunks: 1, bytes: 15 }));
    pass();
    expect(text()).toBe('Half of the ans');
    expect(status()).toContain('The connection broke before the end. What arrived is kept.');
    expect(announced()).toEqual(['Half of the ans', 'The connection broke before the end.']);
    query('.status button').click();
    expect(invoke.subscriptions).toBe(2);
  });

  it('closes the connection on Stop, and keeps the text', () => {
    ask('Hello?');
    answers[0]?.next(chunkEvent('Half'));
    pass();
    button().click();
    fixture.detectChanges();
    expect(invoke.invocations[0]?.state).toBe('unsubscribed');
    expect(text()).toBe('Half');
    expect(status()).toContain('Stopped');
    expect(button().textContent.trim()).toBe('Send');
  });

  it('closes the connection on Escape', () => {
    ask('Hello?');
    query('textarea').dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
    expect(invoke.invocations[0]?.state).toBe('unsubscribed');
  });

  it('sends nothing more when stopped during the wait for the next attempt', () => {
    ask('Hello?');
    answers[0]?.error(serviceException('TooManyRequestsException', { retryAfterSeconds: 3 }));
    pass();
    button().click();
    pass(60_000);
    expect(invoke.subscriptions).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('closes the connection on a new question, whose answer stands below what is there', () => {
    ask('First?');
    answers[0]?.next(chunkEvent('One'));
    pass();
    ask('Second?');
    expect(invoke.invocations.map(({ state }) => state)).toEqual(['unsubscribed', 'open']);
    expect([text(0), status(0).slice(0, 7)]).toEqual(['One', 'Stopped']);
    expect([text(1), status(1)]).toEqual(['', 'Connecting…']);
  });

  it('closes the connection when it is destroyed', () => {
    ask('Hello?');
    answers[0]?.next(chunkEvent('One'));
    fixture.destroy();
    expect(invoke.invocations[0]?.state).toBe('unsubscribed');
    expect(answers[0]?.observed).toBe(false);
  });

  it('announces whole sentences, politely', () => {
    ask('Hello?');
    answers[0]?.next(chunkEvent('One is whole. Two is n'));
    pass();
    expect(announced()).toEqual(['One is whole.']);
    const first = query('[aria-live=polite]').firstElementChild;
    answers[0]?.next(chunkEvent('ot'));
    answers[0]?.next(completeEvent());
    pass();
    expect(announced()).toEqual(['One is whole.', 'Two is not', 'Answer complete.']);
    // The same element: a new one would be announced again.
    expect(query('[aria-live=polite]').firstElementChild).toBe(first);
  });
});
