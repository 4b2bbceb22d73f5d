/** What docs/user-interfaces.md says about React on a server, in a process without a page. */
import { expect, onTestFinished, test, vi } from 'vitest';

test('a server renders a response that connects, and sends nothing', async () => {
  const fetch = vi.fn();
  vi.stubGlobal('fetch', fetch);
  onTestFinished(() => void vi.unstubAllGlobals());
  const { render } = (await import(new URL('user-interfaces/render-react.jsx', import.meta.url).href)) as {
    render: (prompt: string) => string;
  };
  expect(render('hello')).toBe('<output class="connecting"></output>');
  expect(fetch).not.toHaveBeenCalled();
});
