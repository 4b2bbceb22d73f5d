import { concat, delay, from, lastValueFrom, map, mergeMap, of, take, timer, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { decodeText } from '../../src/index.js';
import { joinInvocation, memoryLog, type InvocationLog, type LogAnswer } from '../../src/log/index.js';
import { chunkEvent, completeEvent, headEvent } from '../../src/testing/index.js';

/** A log whose answers take a while, and whose watchers hear at once: as a server's do. */
function lateAnswers(log: InvocationLog): InvocationLog {
  const late = <T>(answer: LogAnswer<T>): LogAnswer<T> => from(answer).pipe(delay(3));
  return {
    join: (request) => late(log.join(request)),
    append: (request) => late(log.append(request)),
    restart: (request) => late(log.restart(request)),
    read: (request) => late(log.read(request)),
    watch: (key, watcher) => log.watch(key, watcher),
    renew: (request) => late(log.renew(request)),
    leave: (request) => late(log.leave(request)),
    seal: (request) => late(log.seal(request)),
    inspect: (key) => late(log.inspect(key)),
    forget: (key) => late(log.forget(key)),
    close: () => log.close(),
  };
}

test('readers who come while tokens come get each byte once, where answers take longer than tokens', async () => {
  const log = lateAnswers(memoryLog());
  const tokens = Array.from({ length: 100 }, (_, index) => `${index} `);
  const open = () =>
    concat(
      of(headEvent()),
      timer(0, 1).pipe(
        take(tokens.length),
        map((index) => chunkEvent(tokens[index] as string)),
      ),
      of(completeEvent()),
    );
  const texts = await Promise.all(
    [0, 0, 10, 20, 21, 40, 60, 200].map((afterMs) =>
      lastValueFrom(
        timer(afterMs).pipe(
          mergeMap(() => joinInvocation(log, 'key', open)),
          decodeText(),
          toArray(),
        ),
      ),
    ),
  );
  expect(texts.map((parts) => parts.join(''))).toEqual(texts.map(() => tokens.join('')));
});
