// @vitest-environment jsdom
/** The package as it is installed beside the oldest Angular that it takes. The tests in test/angular run there too. */
import { createRequire } from 'node:module';
import { Component, signal, VERSION, type Resource } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream, retryInvocation, type Snapshot } from 'rx-lambda-stream';
import { injectLambdaStreams, provideLambdaStreams, streamResource } from 'rx-lambda-stream/angular';
import { scripted, startLocalLambda } from 'rx-lambda-stream/local';
import { chunkEvent, completeEvent, fakeInvoke } from 'rx-lambda-stream/testing';
import { of } from 'rxjs';
import { expect, expectTypeOf, it, onTestFinished, vi } from 'vitest';
import { useTestBed } from '../angular/test-bed.js';

useTestBed();

const prompt = signal<string | undefined>(undefined);

const Chat = Component({ selector: 'app-chat', template: '{{ answer.status() }}: {{ answer.text() }}' })(
  class {
    readonly #streams = injectLambdaStreams();
    readonly answer = streamResource({
      params: () => prompt(),
      stream: ({ params }) =>
        this.#streams.invoke({ FunctionName: 'chat', Payload: { prompt: params } }).pipe(retryInvocation()),
    });
  },
);

it('is Angular 21.2.0, and the package beside it', () => {
  expect(VERSION.full).toBe('21.2.0');
  const installed = createRequire(import.meta.url).resolve('rx-lambda-stream');
  expect(installed).toContain('test/angular-21/node_modules/rx-lambda-stream/dist/');
});

it('streams into a component from a fake, without a client', () => {
  prompt.set('Hello?');
  const invoke = fakeInvoke({ chat: of(chunkEvent('Hi'), completeEvent()) });
  TestBed.configureTestingModule({ providers: [provideLambdaStreams({ invoke })] });
  const fixture = TestBed.createComponent(Chat);
  fixture.detectChanges();
  expect((fixture.nativeElement as HTMLElement).textContent).toBe('resolved: Hi');
  expect(invoke.inputs).toEqual([{ FunctionName: 'chat', Payload: { prompt: 'Hello?' } }]);
  expectTypeOf(fixture.componentInstance.answer).toExtend<Resource<string>>();
  expectTypeOf(fixture.componentInstance.answer.progress()).toEqualTypeOf<Snapshot | undefined>();
});

it('streams into a component over HTTP, and closes the connection where there is nothing more to ask', async () => {
  const local = await startLocalLambda({ functions: { chat: scripted([{ chunk: 'Half' }, 'stall']) } });
  const client = new LambdaClient(local.clientConfig);
  onTestFinished(async () => {
    client.destroy();
    await local.close();
  });
  prompt.set('Hello?');
  TestBed.configureTestingModule({ providers: [provideLambdaStreams({ invoke: invokeWithResponseStream, client })] });
  const fixture = TestBed.createComponent(Chat);
  fixture.autoDetectChanges();
  const element = fixture.nativeElement as HTMLElement;
  await vi.waitUntil(() => element.textContent === 'loading: Half');
  prompt.set(undefined);
  await vi.waitUntil(() => element.textContent === 'idle: Half');
  expect(await local.requests[0]?.closedEarly).toBe(true);
  expect(local.requests).toHaveLength(1);
});
