import { ApplicationRef } from '@angular/core';
import { TestBed, type ComponentFixture } from '@angular/core/testing';
import { TruncatedStreamError, type LambdaStreamEvent } from 'rx-lambda-stream';
import { provideLambdaStreams } from 'rx-lambda-stream/angular';
import { chunkEvent, completeEvent, fakeInvoke, headEvent } from 'rx-lambda-stream/testing';
import { Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Orders } from './orders';

describe('the orders', () => {
  let fixture: ComponentFixture<Orders>;
  let page: HTMLElement;
  let answers: Subject<LambdaStreamEvent>[];
  let invoke: ReturnType<typeof fakeInvoke>;

  beforeEach(async () => {
    vi.useFakeTimers();
    answers = [];
    invoke = fakeInvoke({
      orders: () => {
        const answer = new Subject<LambdaStreamEvent>();
        answers.push(answer);
        return answer;
      },
    });
    TestBed.configureTestingModule({ providers: [provideLambdaStreams({ invoke })] });
    fixture = TestBed.createComponent(Orders);
    page = fixture.nativeElement as HTMLElement;
    await pass(0);
  });

  afterEach(() => vi.useRealTimers());

  const cells = (): string[] => [...page.querySelectorAll('td:first-child')].map((cell) => cell.textContent);
  const message = (): string => page.querySelector('[role=status]')?.textContent ?? '';
  const line = (id: number): string => `{"id":${id},"customer":"Grove","city":"Lyon","total":${id}}\n`;

  /** Advances the time, and renders. A resource subscribes to its stream in a later microtask. */
  async function pass(ms = 50): Promise<void> {
    TestBed.inject(ApplicationRef).tick();
    await vi.advanceTimersByTimeAsync(ms);
    TestBed.inject(ApplicationRef).tick();
    fixture.detectChanges();
  }

  async function press(): Promise<void> {
    page.querySelector('button')?.click();
    await pass(0);
  }

  it('asks for the country, and loads', () => {
    expect(invoke.inputs).toEqual([{ FunctionName: 'orders', Payload: { country: 'Germany' } }]);
    expect(message()).toBe('Loading…');
  });

  it('fills while the records come, wherever their bytes are cut', async () => {
    answers[0]?.next(headEvent());
    answers[0]?.next(chunkEvent(line(1) + line(2).slice(0, 9)));
    await pass();
    expect(cells()).toEqual(['1']);
    answers[0]?.next(chunkEvent(line(2).slice(9)));
    answers[0]?.next(completeEvent());
    await pass();
    expect(cells()).toEqual(['1', '2']);
    expect(message()).toBe('Complete: 2 orders.');
  });

  it('is an empty table, not an error, for a stream without a record', async () => {
    answers[0]?.next(completeEvent());
    await pass();
    expect(cells()).toEqual([]);
    expect(message()).toBe('Complete: 0 orders.');
  });

  it('keeps the rows of a stream that breaks', async () => {
    answers[0]?.next(chunkEvent(line(1)));
    answers[0]?.error(new TruncatedStreamError({ functionName: 'orders', chunks: 1, bytes: 9 }));
    await pass();
    expect(cells()).toEqual(['1']);
    expect(message()).toBe('The connection broke before the end. 1 order arrived.');
  });

  it('closes the connection on Stop, keeps the rows, and loads again', async () => {
    answers[0]?.next(chunkEvent(line(1)));
    await pass();
    await press();
    expect(invoke.invocations[0]?.state).toBe('unsubscribed');
    expect([cells(), message()]).toEqual([['1'], 'Stopped after 1 order.']);
    await press();
    expect(invoke.invocations.map(({ state }) => state)).toEqual(['unsubscribed', 'open']);
    expect([cells(), message()]).toEqual([[], 'Loading…']);
  });

  it('loads again once it is complete', async () => {
    answers[0]?.next(completeEvent());
    await pass();
    await press();
    expect(invoke.invocations.map(({ state }) => state)).toEqual(['completed', 'open']);
  });

  it('closes the connection for another country', async () => {
    const select = page.querySelector('select');
    if (select !== null) select.value = 'Italy';
    select?.dispatchEvent(new Event('change'));
    await pass(0);
    expect(invoke.invocations.map(({ state }) => state)).toEqual(['unsubscribed', 'open']);
    expect(invoke.inputs[1]?.Payload).toEqual({ country: 'Italy' });
  });

  it('closes the connection when it is destroyed', () => {
    fixture.destroy();
    expect(invoke.invocations[0]?.state).toBe('unsubscribed');
    expect(vi.getTimerCount()).toBe(0);
  });
});
