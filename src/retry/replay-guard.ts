import { ReplayMismatchError } from '../errors.js';
import type { LambdaStreamEvent, RetryMode } from '../events.js';
import { assertAttached } from '../shared/bytes.js';
import { startHash, updateHash } from './running-hash.js';

/** What one subscription has delivered, over all its attempts. */
export interface ReplayGuard {
  /** What was delivered since the start, or the last restart. */
  delivered(): { readonly chunks: number; readonly bytes: number };
  /** Another attempt begins, in this mode. */
  begin(mode: RetryMode, cause: unknown): void;
  /**
   * What of the attempt's next event is to be delivered; undefined for nothing.
   *
   * @throws ReplayMismatchError where a replay brings other bytes than before; DetachedPayloadError for a chunk whose
   * buffer was given away.
   */
  take(event: LambdaStreamEvent): LambdaStreamEvent | undefined;
  /** @throws ReplayMismatchError where a replay ends before all came that was delivered. */
  end(): void;
}

/**
 * Counts what is delivered, and in a replay holds back what already was. Constant memory: counts and a hash.
 *
 * @param canReplay - Without it no hash is computed.
 */
export function createReplayGuard(canReplay: boolean): ReplayGuard {
  let chunks = 0;
  let bytes = 0;
  const hash = startHash();

  /** What of this attempt's replay is still to come, in bytes. */
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
        // What an unknown event means belongs to its place between the chunks.
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
