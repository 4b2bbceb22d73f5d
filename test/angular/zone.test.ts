// @vitest-environment jsdom
import 'zone.js';
import { ChangeDetectionStrategy, Component, NgZone, provideZoneChangeDetection } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { provideLambdaStreams, injectLambdaStreams, streamResource } from 'rx-lambda-stream/angular';
import { tap } from 'rxjs';
import { expect, it } from 'vitest';
import { gate, startLive } from '../support/live.js';
import { useTestBed } from './test-bed.js';

useTestBed(provideZoneChangeDetection());

it('streams under zone.js, outside of NgZone: chunks cause no change detection, changes of the text do', async () => {
  const last = gate();
  async function* chat(): AsyncGenerator<string> {
    for (let index = 0; index < 500; index++) {
      yield 'x';
      await new Promise((resolve) => setImmediate(resolve));
    }
    await last.opened;
    yield '!';
  }
  const { client } = await startLive({ chat });
  const zones = new Set<boolean>();
  const Host = Component({
    selector: 'host-in-a-zone',
    changeDetection: ChangeDetectionStrategy.OnPush,
    template: '{{ answer.text() }}',
  })(
    class {
      readonly #streams = injectLambdaStreams();
      readonly answer = streamResource({
        params: () => 1,
        stream: () =>
          this.#streams.invoke({ FunctionName: 'chat' }).pipe(tap(() => zones.add(NgZone.isInAngularZone()))),
      });
    },
  );
  TestBed.configureTestingModule({ providers: [provideLambdaStreams({ invoke: invokeWithResponseStream, client })] });
  const fixture = TestBed.createComponent(Host);
  fixture.autoDetectChanges();
  let turns = 0;
  const zone = TestBed.inject(NgZone);
  zone.onMicrotaskEmpty.subscribe(() => turns++);
  const shows = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const element = fixture.nativeElement as HTMLElement;
      const observer = new MutationObserver(() => {
        if (element.textContent !== text) return;
        observer.disconnect();
        resolve();
      });
      observer.observe(element, { characterData: true, childList: true, subtree: true });
    });

  await shows('x'.repeat(500));
  last.open();
  await shows(`${'x'.repeat(500)}!`);
  expect(zones).toEqual(new Set([false]));
  expect(turns).toBeGreaterThan(0);
  expect(turns).toBeLessThan(500);
});
