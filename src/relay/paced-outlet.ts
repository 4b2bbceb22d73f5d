import { asyncScheduler, BehaviorSubject, Subscription, type Observable } from 'rxjs';
import { ResponseTooLargeError } from '../errors.js';
import type { Exchange, Outlet } from './exchange.js';

/** The arguments of {@link createPacedOutlet}. */
export interface PacedOutletInit {
  readonly exchange: Exchange;
  readonly ping: Uint8Array;
  readonly pingMs: number;
  readonly stalledMs: number;
  readonly maxWaitingBytes: number;
  /** Called when a ping is due before the answer has begun. It opens the answer. */
  readonly begin: () => void;
  /** Called with the reason after the client was cut off. */
  readonly drop: (error: Error) => void;
}

/** The sending side of one answer, at its client's pace. */
export interface PacedOutlet {
  /** True while the source should wait for the client. */
  readonly paused: Observable<boolean>;
  /** Whether the answer has begun. */
  readonly isOpen: () => boolean;
  readonly open: (status: number, headers: Readonly<Record<string, string>>) => void;
  readonly write: (pieces: readonly Uint8Array[]) => void;
  /** Sends a ping after each silence from now on, also before the answer has begun. */
  readonly stayAwake: () => void;
  /** Ends the answer. Waiting bytes are still sent, unless the client stalls. */
  readonly end: () => void;
  /** Cuts the connection. */
  readonly cut: (reason: Error) => void;
  /** Stops the pings. */
  readonly rest: () => void;
  /** Stops watching a client that has left. */
  readonly leave: () => void;
}

/** A client was dropped because it took none of the bytes that waited for it. */
class StalledClientError extends Error {
  override readonly name = 'StalledClientError';
}

/** Makes a paced outlet. It pings after a silence, and drops a client that stalls or for which too much waits. */
export function createPacedOutlet(init: PacedOutletInit): PacedOutlet {
  const { pingMs, stalledMs, maxWaitingBytes } = init;
  const paused = new BehaviorSubject(false);
  let outlet: Outlet | undefined;
  let resting = false;
  let writtenAt = 0;
  let silence = Subscription.EMPTY;
  let stall = Subscription.EMPTY;

  function write(pieces: readonly Uint8Array[]): void {
    if (pieces.length === 0 || outlet === undefined) return;
    let isTaken = true;
    for (const piece of pieces) isTaken = outlet.write(piece);
    writtenAt = asyncScheduler.now();
    if (isTaken) return;
    if (outlet.waiting() > maxWaitingBytes) {
      // The source ignores the pause.
      drop(new ResponseTooLargeError('What waits for a client is over maxReplayBytes', { maxBytes: maxWaitingBytes }));
    } else if (!paused.value) {
      watchForStall(outlet.waiting());
      paused.next(true);
    }
  }

  /**
   * Sends a ping after a silence, so that proxies and the client know that the connection lives. One timer serves all
   * messages, because a timer for each would cost more than the message (bench/relay).
   */
  function awaitSilence(delayMs: number): void {
    if (pingMs === Infinity) return;
    silence.unsubscribe();
    silence = after(delayMs, () => {
      if (outlet === undefined) init.begin();
      const left = writtenAt + pingMs - asyncScheduler.now();
      if (left <= 0 && !paused.value) write([init.ping]);
      if (!resting) awaitSilence(left > 0 ? left : pingMs);
    });
  }

  function watchForStall(waiting: number): void {
    if (stalledMs === Infinity) return;
    stall.unsubscribe();
    stall = after(stalledMs, () => {
      const left = outlet?.waiting() ?? 0;
      if (left < waiting) watchForStall(left);
      else drop(new StalledClientError(`A client took nothing for ${stalledMs} ms; ${left} bytes waited for it`));
    });
  }

  function drained(): void {
    stall.unsubscribe();
    if (!resting && paused.value) paused.next(false);
  }

  function drop(error: Error): void {
    outlet?.cut(error);
    init.drop(error);
  }

  return {
    paused: paused.asObservable(),
    isOpen: () => outlet !== undefined,
    open(status, headers) {
      outlet = init.exchange.open(status, headers, drained);
      awaitSilence(pingMs);
    },
    write,
    stayAwake() {
      writtenAt = asyncScheduler.now();
      awaitSilence(pingMs);
    },
    end() {
      outlet?.end();
      const left = outlet?.waiting() ?? 0;
      if (left > 0) watchForStall(left);
    },
    cut: (reason) => outlet?.cut(reason),
    rest() {
      resting = true;
      silence.unsubscribe();
    },
    leave: () => stall.unsubscribe(),
  };
}

/** Runs an action later, by RxJS's clock. */
function after(delayMs: number, action: () => void): Subscription {
  return asyncScheduler.schedule(action, delayMs);
}
