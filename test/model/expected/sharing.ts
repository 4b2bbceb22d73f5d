import type { SharePlan } from '../pipeline-plan.js';
import type { ExpectedClock } from './clock.js';
import type { ExpectedEvent, ExpectedObserver, ExpectedSource } from './events.js';

/** What `shareInvocation(…)` does, by its documentation. */
export function expectSharing(plan: SharePlan, clock: ExpectedClock, source: ExpectedSource): ExpectedSource {
  const { replay, maxReplayBytes, lingerMs } = plan;
  let state: 'idle' | 'running' | 'complete' = 'idle';
  let history: ExpectedEvent[] = [];
  let overflowed = false;
  let listeners: ExpectedObserver[] = [];
  let stopLingering: (() => void) | undefined;

  const own: ExpectedObserver = {
    get closed() {
      return state !== 'running';
    },
    next(event) {
      remember(event);
      if (overflowed && listeners.length === 0) close();
      tell([...listeners], (listener) => listener.next(event));
    },
    fail: (error) => tell(ended('idle'), (listener) => listener.fail(error)),
    complete: () => tell(ended(replay === 'all' ? 'complete' : 'idle'), (listener) => listener.complete()),
  };

  function tell(whom: readonly ExpectedObserver[], what: (listener: ExpectedObserver) => void): void {
    for (const listener of whom) if (!listener.closed) what(listener);
  }

  function remember(event: ExpectedEvent): void {
    if (replay === 'none') return;
    // What came before is void.
    if (event.type === 'retry' && event.mode === 'restart') history = [];
    const last = history.at(-1);
    if (event.type !== 'chunk' || last?.type !== 'chunk') history.push(event);
    // For those who come late chunks are joined to few: of so few bytes, to one.
    else history[history.length - 1] = { type: 'chunk', bytes: last.bytes + event.bytes };
    // Retries and events of unknown types occupy 512 bytes. A restart begins the history anew.
    const sizes = history.map((one) => {
      if (one.type === 'retry') return one.mode === 'restart' ? 0 : 512;
      return one.type === 'chunk' ? one.bytes.length : one.type === 'unknown' ? 512 + one.bytes.length : 0;
    });
    overflowed = sizes.reduce((sum, size) => sum + size, 0) > maxReplayBytes;
  }

  function ended(as: 'idle' | 'complete'): ExpectedObserver[] {
    const last = listeners;
    listeners = [];
    state = as;
    stopLingering?.();
    stopLingering = undefined;
    return last;
  }

  function close(): void {
    ended('idle');
    source.unsubscribe(own);
  }

  function tellHistory(listener: ExpectedObserver): void {
    if (overflowed) {
      listener.fail(`ReplayLimitError ${maxReplayBytes}`);
      return;
    }
    for (const event of history) {
      if (listener.closed) return;
      if (event.type !== 'chunk' || event.bytes !== '') listener.next(event);
    }
  }

  /** Closes the connection now or later, where nobody listens. */
  function leaveIfAlone(): void {
    if (state !== 'running' || listeners.length > 0) return;
    if (lingerMs === 0 || overflowed) close();
    else stopLingering = clock.schedule(lingerMs, close);
  }

  return {
    subscribe(listener) {
      if (state === 'complete') {
        tellHistory(listener);
        if (!listener.closed) listener.complete();
      } else if (state === 'running') {
        stopLingering?.();
        stopLingering = undefined;
        tellHistory(listener);
        if (!listener.closed) listeners.push(listener);
        else leaveIfAlone();
      } else {
        state = 'running';
        history = [];
        overflowed = false;
        listeners = [listener];
        source.subscribe(own);
      }
    },
    unsubscribe(listener) {
      const before = listeners.length;
      listeners = listeners.filter((one) => one !== listener);
      if (listeners.length < before) leaveIfAlone();
    },
  };
}
