import { AsyncLocalStorage } from 'node:async_hooks';
import { retryInvocation } from 'rx-lambda-stream';
import { BehaviorSubject, Subject, type Observable } from 'rxjs';
import { expect, it } from 'vitest';
import { fetchResponseStream } from 'rx-lambda-stream/http';
import { reset, startHttp } from '../support/live-http.js';
import { gate } from '../support/live.js';

const storage = new AsyncLocalStorage<string>();

/** What happened, each with the store that it happened in. */
function logOf(stream: Observable<{ readonly type: string }>): { log: string[]; ended: Promise<void> } {
  const log: string[] = [];
  const note = (what: string): number => log.push(`${what} ${storage.getStore() ?? 'none'}`);
  const ended = new Promise<void>((resolve) => {
    storage.run('mine', () =>
      stream.subscribe({
        next: ({ type }) => note(type),
        error: () => {
          note('error');
          resolve();
        },
        complete: () => {
          note('completed');
          resolve();
        },
      }),
    );
  });
  return { log, ended };
}

it('events arrive in the context of the subscription, whoever ends the pause, and with any fetch', async () => {
  const server = await startHttp((response) => {
    response.write('one');
    setTimeout(() => response.end('two'), 10);
  });
  const pauseWhile = new BehaviorSubject(true);
  const { opened, open } = gate();
  const made: (string | undefined)[] = [];
  const stream = fetchResponseStream(
    () => {
      made.push(storage.getStore());
      return server.url;
    },
    {
      pauseWhile,
      fetch: (request, init) => {
        made.push(storage.getStore());
        // An instrumentation that answers in a context of its own.
        return storage.run('other', () => fetch(request, init).finally(() => opened));
      },
    },
  );
  const { log, ended } = logOf(stream);
  storage.run('opener', open);
  while (log.length < 2) await new Promise((resolve) => setImmediate(resolve));
  storage.run('lifter', () => pauseWhile.next(false));
  await ended;
  expect(made).toEqual(['mine', 'mine']);
  expect([...new Set(log)]).toEqual(['head mine', 'http-head mine', 'chunk mine', 'complete mine', 'completed mine']);
});

it('failures too: of pauseWhile, of the connection, of the status', async () => {
  const server = await startHttp((response, { url }) => {
    if (url === '/cut') {
      response.write('one');
      setTimeout(() => reset(response), 10);
    } else if (url === '/status') response.writeHead(500).end('no');
  });
  const pauseWhile = new Subject<boolean>();
  const paused = logOf(fetchResponseStream(`${server.url}hang`, { pauseWhile }));
  storage.run('other', () => pauseWhile.error(new Error('no more')));
  await paused.ended;
  expect(paused.log).toEqual(['error mine']);

  for (const path of ['cut', 'status']) {
    const { log, ended } = logOf(fetchResponseStream(`${server.url}${path}`));
    await ended;
    expect(log.at(-1)).toBe('error mine');
    expect(log.every((line) => line.endsWith(' mine'))).toBe(true);
  }
});

it('attempts after a retry as well', async () => {
  const server = await startHttp((response, _request, attempt) => {
    if (attempt === 1) response.writeHead(503).end();
    else response.end('one');
  });
  const classify = () => ({ verdict: 'soon', mayHaveRun: false }) as const;
  const { log, ended } = logOf(fetchResponseStream(server.url).pipe(retryInvocation({ initialDelayMs: 0, classify })));
  await ended;
  expect(log).toEqual(
    ['head', 'retry', 'head', 'http-head', 'chunk', 'complete', 'completed'].map((what) => `${what} mine`),
  );
});
