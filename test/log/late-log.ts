import { AsyncSubject, delay, from, mergeMap, timer } from 'rxjs';
import type { InvocationLog, LogAnswer } from '../../src/log/index.js';

/** How long a call takes to be heard, and an answer to come back, in milliseconds. */
interface Latency {
  readonly askMs?: number;
  readonly answerMs: number;
}

/** A log whose answers take a while, and whose watchers hear at once: as a server's do. */
export function lateAnswers(log: InvocationLog, { askMs = 0, answerMs }: Latency): InvocationLog {
  const late = <T>(call: () => LogAnswer<T>): LogAnswer<T> => {
    const answer = new AsyncSubject<T>();
    (askMs === 0 ? from(call()) : timer(askMs).pipe(mergeMap(call))).pipe(delay(answerMs)).subscribe(answer);
    return answer;
  };
  return {
    join: (request) => late(() => log.join(request)),
    append: (request) => late(() => log.append(request)),
    restart: (request) => late(() => log.restart(request)),
    read: (request) => late(() => log.read(request)),
    watch: (key, watcher) => log.watch(key, watcher),
    renew: (request) => late(() => log.renew(request)),
    leave: (request) => late(() => log.leave(request)),
    seal: (request) => late(() => log.seal(request)),
    inspect: (key) => late(() => log.inspect(key)),
    forget: (key) => late(() => log.forget(key)),
    close: () => log.close(),
  };
}
