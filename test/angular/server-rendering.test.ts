import '@angular/compiler';
import { Component, provideZonelessChangeDetection } from '@angular/core';
import { bootstrapApplication } from '@angular/platform-browser';
import { provideServerRendering, renderApplication } from '@angular/platform-server';
import { invokeWithResponseStream, type LambdaStreamClient } from 'rx-lambda-stream';
import { injectLambdaStreams, provideLambdaStreams, streamResource } from 'rx-lambda-stream/angular';
import { scripted } from 'rx-lambda-stream/local';
import { expect, it } from 'vitest';
import { startLive } from '../support/live.js';

/** The page that a server renders of a component with one resource. */
function render(client: LambdaStreamClient, id?: string): Promise<string> {
  const Page = Component({ selector: 'app-page', template: '<p>{{ answer.status() }}: {{ answer.text() }}</p>' })(
    class {
      readonly #streams = injectLambdaStreams();
      readonly answer = streamResource({
        params: () => ({ session: 'secret' }),
        stream: ({ params }) => this.#streams.invoke({ FunctionName: 'chat', Payload: params }),
        ...(id !== undefined && { id }),
      });
    },
  );
  const providers = [
    provideZonelessChangeDetection(),
    provideServerRendering(),
    provideLambdaStreams({ invoke: invokeWithResponseStream, client }),
  ];
  return renderApplication((context) => bootstrapApplication(Page, { providers }, context), {
    document: '<!doctype html><html><body><app-page></app-page></body></html>',
    url: '/',
    allowedHosts: [],
  });
}

it('renders the whole text with an id, after one invocation, and hands it over', async () => {
  const { client, local } = await startLive({
    chat: scripted([{ chunk: 'One ' }, { waitMs: 20 }, { chunk: '</script> two' }, { complete: {} }]),
  });
  const html = await render(client, 'answer');
  expect(html).toContain('>resolved: One &lt;/script&gt; two</p>');
  expect(local.requests).toHaveLength(1);
  const [, json = ''] = /<script id="ng-state" type="application\/json">(.*?)<\/script>/s.exec(html) ?? [];
  expect(JSON.parse(json)).toMatchObject({ 'rx-lambda-stream:answer': { text: 'One </script> two', bytes: 17 } });
  expect(html).not.toContain('secret');
});

it('invokes nothing without an id: the page does', async () => {
  const { client, local } = await startLive({ chat: scripted([{ chunk: 'One' }, { complete: {} }]) });
  const html = await render(client);
  expect(html).toContain('>loading: </p>');
  expect(html).not.toContain('ng-state');
  expect(local.requests).toEqual([]);
});

it('renders what arrived of a stream that broke', async () => {
  const { client, local } = await startLive({ chat: scripted([{ chunk: 'Half' }, 'reset']) });
  expect(await render(client, 'answer')).toContain('>error: Half</p>');
  expect(local.requests).toHaveLength(1);
});
