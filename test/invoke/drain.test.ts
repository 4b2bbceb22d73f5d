/** What is read behind the last event of a response, so that its connection can be used again, and how much at most. */
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readBody } from '../../src/invoke/read-body.js';

/** A body that the test fills. `closing` says how its reader has left it. */
interface Body {
  readonly body: unknown;
  push(bytes: Uint8Array): void;
  end(): void;
  readonly closing: () => 'open' | 'read to the end' | 'closed early';
}

function nodeBody(): Body {
  const body = new Readable({ read: () => undefined });
  return {
    body,
    push: (bytes) => body.push(bytes),
    end: () => body.push(null),
    closing: () => (body.readableEnded ? 'read to the end' : body.destroyed ? 'closed early' : 'open'),
  };
}

function webBody(): Body {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let isCancelled = false;
  let isEnded = false;
  const body = new ReadableStream<Uint8Array>({
    start: (own) => void (controller = own),
    cancel: () => void (isCancelled = true),
  });
  return {
    body,
    push: (bytes) => controller.enqueue(bytes),
    end() {
      isEnded = true;
      controller.close();
    },
    closing: () =>
      isCancelled ? 'closed early' : isEnded && controller.desiredSize === 0 ? 'read to the end' : 'open',
  };
}

const maxDrainBytes = 64 * 1024;

/** Streams need turns of the event loop, which no fake timer stands for. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe.each([
  ['Node', nodeBody],
  ['web', webBody],
])('a body of kind %s whose response is complete', (_, createBody) => {
  /** Drains a body, and counts what is reported in spite of it. */
  function drained(): { readonly source: Body; readonly reported: unknown[] } {
    const source = createBody();
    const reported: unknown[] = [];
    const report = (what: unknown): void => void reported.push(what);
    readBody(source.body, { next: report, error: report, complete: () => report('complete') }).drain();
    return { source, reported };
  }

  it('does not keep the process alive while more bytes are awaited', async () => {
    vi.useRealTimers();
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const { source } = drained();
    expect(timers()).toBe(before);
    source.end();
    await turns();
    expect(source.closing()).toBe('read to the end');
  });

  it('is read to its end where 64 KiB follow, and its connection is kept', async () => {
    const { source, reported } = drained();
    source.push(new Uint8Array(maxDrainBytes - 1));
    source.push(new Uint8Array(1));
    await turns();
    expect(source.closing()).toBe('open');
    source.end();
    await turns();
    expect([source.closing(), reported, vi.getTimerCount()]).toEqual(['read to the end', [], 0]);
  });

  it('is closed as soon as one byte more than 64 KiB follows', async () => {
    const { source, reported } = drained();
    source.push(new Uint8Array(maxDrainBytes));
    await turns();
    expect(source.closing()).toBe('open');
    source.push(new Uint8Array(1));
    await turns();
    expect([source.closing(), reported, vi.getTimerCount()]).toEqual(['closed early', [], 0]);
  });

  it('is closed where its end does not come within a second', async () => {
    const { source, reported } = drained();
    await turns();
    vi.advanceTimersByTime(999);
    await turns();
    expect(source.closing()).toBe('open');
    vi.advanceTimersByTime(1);
    await turns();
    expect([source.closing(), reported, vi.getTimerCount()]).toEqual(['closed early', [], 0]);
  });
});
