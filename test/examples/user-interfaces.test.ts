import { createRequire } from 'node:module';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { finalize } from 'rxjs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startRelay } from '../relay/relay-server.js';
import { gate, startLive } from '../support/live.js';

/** A page that shows the answer to a prompt. */
interface Page {
  show(prompt: string): void;
  unmount(): void;
}

/** What is used of jsdom, which has no types. */
interface Jsdom {
  readonly JSDOM: new (
    html: string,
    options: object,
  ) => { window: Window & typeof globalThis; reconfigure(settings: { url: string }): void };
}

const { JSDOM } = createRequire(import.meta.url)('jsdom') as Jsdom;
const dom = new JSDOM('', { pretendToBeVisual: true });
// React's scheduler looks at the window after the test too.
for (const name of ['window', 'document', 'location', 'Element', 'SVGElement', 'MathMLElement'] as const) {
  vi.stubGlobal(name, dom.window[name]);
}
const nodeFetch = globalThis.fetch;

const pages = ['mount-react.jsx', 'mount-tanstack-query.jsx', 'mount-vue.js', 'mount-plain.js'];

test.each(pages)('%s: text appears as it comes, a new prompt replaces it, leaving ends it', async (file) => {
  const { opened, open } = gate();
  const { client, local } = await startLive({
    chat: async function* ({ prompt }: { prompt: string }) {
      yield `You said ${prompt}`;
      await opened;
      yield ', goodbye';
    },
  });
  const ended: string[] = [];
  const { url } = await startRelay({
    lingerMs: 0,
    authorize({ functionName, payload, input }) {
      const { prompt } = JSON.parse(new TextDecoder().decode(payload)) as { prompt: string };
      return {
        // React's strict mode subscribes twice: the key makes it one invocation.
        key: [String(functionName), prompt],
        open: (pauseWhile) =>
          invokeWithResponseStream(client, input, { pauseWhile }).pipe(finalize(() => ended.push(prompt))),
      };
    },
  });
  dom.reconfigure({ url });
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => nodeFetch(new URL(path, url), init));
  onTestFinished(() => void vi.stubGlobal('fetch', nodeFetch));
  const main = document.body.appendChild(document.createElement('main'));
  const shown = (): (string | undefined)[] => {
    const output = main.querySelector('output');
    return [output?.className, output?.textContent];
  };
  const { mount } = (await import(new URL(`user-interfaces/${file}`, import.meta.url).href)) as {
    mount: (element: HTMLElement) => Page;
  };
  const page = mount(main);
  page.show('hello');
  await vi.waitFor(() => expect(shown()).toEqual(['streaming', 'You said hello']));
  page.show('and');
  await vi.waitFor(() => expect(shown()).toEqual(['streaming', 'You said and']));
  await vi.waitFor(() => expect(ended).toEqual(['hello']));
  open();
  await vi.waitFor(() => expect(shown()).toEqual(['complete', 'You said and, goodbye']));
  page.unmount();
  expect(local.requests).toHaveLength(2);
});
