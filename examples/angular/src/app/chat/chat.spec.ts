import { ApplicationRef } from '@angular/core';
import { TestBed, type ComponentFixture } from '@angular/core/testing';
import { TruncatedStreamError, type LambdaStreamEvent } from 'rx-lambda-stream';
import { provideLambdaStreams } from 'rx-lambda-stream/angular';
import { chunkEvent, completeEvent, fakeInvoke, headEvent, serviceException } from 'rx-lambda-stream/testing';
import { Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Chat } from './chat';

describe('the chat', () => {
  let fixture: ComponentFixture<Chat>;
  let page: HTMLElement;
  /** One subject for each invocation. The test answers through it. */
  let answers: Subject<LambdaStreamEvent>[];
  let invoke: ReturnType<typeof fakeInvoke>;
  /** As on a desktop; false as on a phone. */
  let hasKeyboard: boolean;

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
    hasKeyboard = true;
    // The parts of a browser that jsdom lacks.
    vi.stubGlobal('matchMedia', () => ({ matches: hasKeyboard }));
    vi.stubGlobal(
      'ResizeObserver',
      class {
        observe(): void {}
        disconnect(): void {}
      },
    );
    TestBed.configureTestingModule({ providers: [provideLambdaStreams({ invoke })] });
    open();
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  function open(): void {
    fixture = TestBed.createComponent(Chat);
    page = fixture.nativeElement as HTMLElement;
    document.body.append(page);
    pass(0);
  }

  const query = <T extends HTMLElement>(selector: string): T => {
    const found = page.querySelector<T>(selector);
    if (found === null) throw new Error(`The page has no ${selector}`);
    return found;
  };
  const button = (): HTMLButtonElement => query('form button[type=submit]');
  const action = (name: string): HTMLButtonElement | undefined =>
    [...page.querySelectorAll<HTMLButtonElement>('.status button')].find(
      ({ textContent }) => textContent.trim() === name,
    );
  const status = (turn = 0): string => page.querySelectorAll('.state')[turn]?.textContent.trim() ?? '';
  const text = (turn = 0): string =>
    page.querySelectorAll('app-turn')[turn]?.querySelector('.answer')?.textContent ?? '';
  const counts = (turn = 0): string => page.querySelectorAll('.counts')[turn]?.textContent ?? '';
  const announced = (): string[] => [...query('[aria-live=polite]').children].map((child) => child.textContent);

  /** Advances the time, and renders. */
  function pass(ms = 16): void {
    TestBed.inject(ApplicationRef).tick();
    vi.advanceTimersByTime(ms);
    TestBed.inject(ApplicationRef).tick();
    fixture.detectChanges();
  }

  function ask(question: string): void {
    query<HTMLTextAreaElement>('textarea').value = question;
    query('textarea').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
    pass(0);
  }

  it('invokes nothing before a question', () => {
    expect(invoke.subscriptions).toBe(0);
    expect(button().textContent.trim()).toBe('Send');
  });

  it('sends the question, and connects', () => {
    ask('Hello?');
    expect(invoke.inputs).toMatchObject([{ FunctionName: 'chat', Payload: { prompt: 'Hello?' } }]);
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
    expect(status()).toBe('Answering…');
    expect(counts()).toBe('6 bytes in 1 chunk, shown in 2 updates');
    answers[0]?.next(chunkEvent('nes'));
    answers[0]?.next(completeEvent());
    pass(0);
    expect(text()).toBe('Twolines');
    expect(status()).toBe('Complete');
    expect(counts()).toContain('9 bytes in 2 chunks');
    expect(button().textContent.trim()).toBe('Send');
  });

  it('writes the signal once a frame, however many chunks come', () => {
    ask('Much?');
    for (let chunk = 0; chunk < 10_000; chunk++) answers[0]?.next(chunkEvent('x'));
    pass();
    // Connecting, and the 10,000 chunks.
    expect(counts()).toBe('10,000 bytes in 10,000 chunks, shown in 2 updates');
  });

  it('counts down to the next attempt, and says so to a screen reader once', () => {
    ask('Hello?');
    const busy = serviceException('TooManyRequestsException', { retryAfterSeconds: 3 });
    answers[0]?.error(busy);
    pass();
    expect(status()).toBe('Too many requests right now. Retrying in 3 s, attempt 2 of 4');
    expect(announced()).toEqual(['Attempt 2 of 4 follows.']);
    pass(1_000);
    expect(status()).toContain('Retrying in 2 s');
    expect(announced()).toEqual(['Attempt 2 of 4 follows.']);
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
    action('Try again')?.click();
    pass(0);
    expect(invoke.subscriptions).toBe(2);
    // In the place of the failed one.
    expect([page.querySelectorAll('app-turn').length, text(), status()]).toEqual([1, '', 'Connecting…']);
  });

  it('closes the connection on Stop, and keeps the text', () => {
    ask('Hello?');
    answers[0]?.next(chunkEvent('Half'));
    pass();
    button().click();
    pass(0);
    expect(invoke.invocations[0]?.state).toBe('unsubscribed');
    expect(text()).toBe('Half');
    expect(status()).toContain('Stopped');
    expect(button().textContent.trim()).toBe('Send');
  });

  it('closes the connection on Escape', () => {
    ask('Hello?');
    query('textarea').dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
    pass(0);
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
    expect([text(0), status(0)]).toEqual(['One', 'Stopped']);
    expect([text(1), status(1)]).toEqual(['', 'Connecting…']);
  });

  it('closes the connection when it is destroyed', () => {
    ask('Hello?');
    answers[0]?.next(chunkEvent('One'));
    fixture.destroy();
    TestBed.inject(ApplicationRef).tick();
    expect(invoke.invocations[0]?.state).toBe('unsubscribed');
    expect(answers[0]?.observed).toBe(false);
  });

  it('is still there when the reader comes back, with what had arrived', () => {
    ask('Hello?');
    answers[0]?.next(chunkEvent('Half'));
    pass();
    fixture.destroy();
    open();
    expect([query('.question').textContent, text(), status()]).toEqual(['You asked: Hello?', 'Half', 'Stopped']);
    action('Try again')?.click();
    pass(0);
    expect([page.querySelectorAll('app-turn').length, status(), invoke.subscriptions]).toEqual([1, 'Connecting…', 2]);
  });

  it('regenerates the last answer, in its place', () => {
    ask('First?');
    answers[0]?.next(chunkEvent('One'));
    answers[0]?.next(completeEvent());
    pass();
    ask('Second?');
    answers[1]?.next(chunkEvent('Two'));
    answers[1]?.next(completeEvent());
    pass();
    expect([...page.querySelectorAll('.actions')].map(({ textContent }) => textContent.trim())).toEqual([
      'Copy',
      'CopyRegenerate',
    ]);
    action('Regenerate')?.click();
    pass(0);
    answers[2]?.next(chunkEvent('Better'));
    pass();
    expect([text(0), text(1), page.querySelectorAll('app-turn').length]).toEqual(['One', 'Better', 2]);
    expect(invoke.inputs.map(({ Payload }) => (Payload as { prompt: string }).prompt)).toEqual([
      'First?',
      'Second?',
      'Second?',
    ]);
    expect(new Set(invoke.inputs.map(({ Payload }) => (Payload as { turn: string }).turn)).size).toBe(3);
  });

  it('copies an answer as it was written, and says so, or that it could not', async () => {
    const writeText = vi.fn(() => Promise.resolve());
    vi.stubGlobal('navigator', { clipboard: { writeText } });
    ask('Hello?');
    answers[0]?.next(chunkEvent('**Bold**'));
    answers[0]?.next(completeEvent());
    pass();
    expect(text()).toBe('Bold');
    action('Copy')?.click();
    await vi.advanceTimersByTimeAsync(0);
    pass();
    expect(writeText).toHaveBeenCalledWith('**Bold**');
    expect(query('.copied').textContent.trim()).toBe('Copied');
    writeText.mockReturnValueOnce(Promise.reject(new Error('not allowed')));
    action('Copy')?.click();
    await vi.advanceTimersByTimeAsync(0);
    pass();
    expect(query('.copied').textContent.trim()).toBe('Could not copy');
  });

  it('has a heading of its own, and one for each question', () => {
    const headings = (): string[] => [...page.querySelectorAll('h1, h2')].map(({ textContent }) => textContent);
    expect(headings()).toEqual(['Ask a Lambda function']);
    ask('Hello?');
    expect(headings()).toEqual(['Conversation with a Lambda function', 'You asked: Hello?']);
  });

  it('has no empty line between the question and the state, while there is no text', () => {
    ask('Hello?');
    expect(page.querySelector('.answer')).toBeNull();
    answers[0]?.error(serviceException('TooManyRequestsException', { retryAfterSeconds: 3 }));
    pass();
    expect(page.querySelector('.answer')).toBeNull();
  });

  it('has the focus in the prompt where there is a keyboard, and only there', () => {
    expect(document.activeElement).toBe(query('textarea'));
    expect(query('textarea').getAttribute('enterkeyhint')).toBe('send');
    fixture.destroy();
    hasKeyboard = false;
    open();
    expect(document.activeElement).toBe(document.body);
    expect(query('textarea').getAttribute('enterkeyhint')).toBe('enter');
  });

  it('breaks the line with Enter on a phone', () => {
    fixture.destroy();
    hasKeyboard = false;
    open();
    ask('Hello?');
    expect(invoke.subscriptions).toBe(0);
    expect(query<HTMLTextAreaElement>('textarea').value).toBe('Hello?');
    button().click();
    pass(0);
    expect(invoke.subscriptions).toBe(1);
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
