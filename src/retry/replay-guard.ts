import { ReplayMismatchError } from '../errors.js';
import type { LambdaStreamEvent, RetryMode } from '../events.js';
import { assertAttached } from '../shared/bytes.js';
import { startHash, updateHash } from './running-hash.js';

/** Counts what one subscription has delivered over all its attempts, and checks a replay against it. */
export interface ReplayGuard {
  /** Returns what was delivered since the start, or since the last restart. */
  delivered(): { readonly chunks: number; readonly bytes: number };
  /** Begins another attempt in this mode. */
  begin(mode: RetryMode, cause: unknown): void;
  /**
   * Takes the attempt's next event and returns what has to be delivered of it, or undefined for nothing.
   *
   * @throws ReplayMismatchError where a replay brings other bytes than before. DetachedPayloadError for a chunk whose
   * buffer was transferred.
   */
  take(event: LambdaStreamEvent): LambdaStreamEvent | undefined;
  /** Ends the attempt. @throws ReplayMismatchError where a replay was shorter than what was delivered before. */
  end(): void;
}

/**
 * Makes a guard that counts what is delivered, and that holds back in a replay what was delivered before. Its memory
 * is constant: two counters and two hashes.
 *
 * @param canReplay - Whether a replay may come. A hash is computed only then.
 */
export function createReplayGuard(canReplay: boolean): ReplayGuard {
  let chunks = 0;
  let bytes = 0;
  const hash = startHash();

  /** How many bytes of this attempt are still a replay. */
  let toReplay = 0;
  let replayHash = hash;
  let replayCause: unknown;

  function assertReplay(isSame: boolean): void {
    if (isSame) return;
    const reason = toReplay > 0 ? `it ended ${toReplay} bytes short` : 'the function sent other bytes this time';
    throw new ReplayMismatchError(reason, { deliveredBytes: bytes, cause: replayCause });
  }

  return {
    delivered: () => ({ chunks, bytes }),
    begin(mode, cause) {
      if (mode === 'restart') chunks = bytes = 0;
      if (mode !== 'replay') return;
      toReplay = bytes;
      replayHash = startHash();
      replayCause = cause;
    },
    take(event) {
      if (event.type === 'complete') this.end();
      if (event.type !== 'chunk') {
        // An unknown event has its place between the chunks. So its repetition is held back together with theirs.
        return toReplay > 0 && event.type === 'unknown' ? undefined : event;
      }
      let { payload } = event;
      assertAttached(payload);
      if (toReplay > 0) {
        const replayed = payload.subarray(0, toReplay);
        updateHash(replayHash, replayed);
        toReplay -= replayed.length;
        if (toReplay > 0) return undefined;
        assertReplay(String(replayHash) === String(hash));
        payload = payload.subarray(replayed.length);
        if (payload.length === 0) return undefined;
        event = { type: 'chunk', payload };
      }
      chunks++;
      bytes += payload.length;
      if (canReplay) updateHash(hash, payload);
      return event;
    },
    end: () => assertReplay(toReplay === 0),
  };
}
