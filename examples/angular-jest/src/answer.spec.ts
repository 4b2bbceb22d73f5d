import { TestBed } from '@angular/core/testing';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { provideLambdaStreams } from 'rx-lambda-stream/angular';
import { startLocalLambda } from 'rx-lambda-stream/local';
import { chunkEvent, completeEvent, fakeInvoke } from 'rx-lambda-stream/testing';
import { of } from 'rxjs';
import { Answer } from './answer';

describe('a component under jest', () => {
  it('shows what a fake plays', async () => {
    const invoke = fakeInvoke({ chat: of(chunkEvent('Hi'), completeEvent()) });
    TestBed.configureTestingModule({ providers: [provideLambdaStreams({ invoke })] });
    const fixture = TestBed.createComponent(Answer);
    fixture.componentRef.setInput('prompt', 'Hello?');
    await fixture.whenStable();
    expect(fixture.nativeElement.textContent).toBe('resolved: Hi');
    expect(invoke.inputs).toEqual([{ FunctionName: 'chat', Payload: { prompt: 'Hello?' } }]);
    fixture.destroy();
  });

  it('shows what a real client gets of a local endpoint', async () => {
    const local = await startLocalLambda({
      functions: {
        async *chat({ prompt }: { prompt: string }) {
          yield `You said: ${prompt}`;
        },
      },
    });
    const client = new LambdaClient(local.clientConfig);
    TestBed.configureTestingModule({ providers: [provideLambdaStreams({ invoke: invokeWithResponseStream, client })] });
    const fixture = TestBed.createComponent(Answer);
    fixture.componentRef.setInput('prompt', 'Hello?');
    fixture.autoDetectChanges();
    await new Promise<void>((resolve) => {
      const seen = (): void => {
        if (fixture.nativeElement.textContent === 'resolved: You said: Hello?') resolve();
      };
      new MutationObserver(seen).observe(fixture.nativeElement, {
        subtree: true,
        childList: true,
        characterData: true,
      });
      seen();
    });
    expect(local.requests).toHaveLength(1);
    fixture.destroy();
    client.destroy();
    await local.close();
  });
});
