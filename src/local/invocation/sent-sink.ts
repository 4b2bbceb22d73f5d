import { setImmediate as nextTurn } from 'node:timers/promises';
import { Pacer } from './bandwidth.js';
import type { Invocation } from './invocation.js';
import { PayloadSink } from './payload-sink.js';

/** A long write of a function reaches the client in parts of this length. */
const maxPartBytes = 65_536;

/** A sink that sends the payload to the client, as fast as the client reads and the bandwidth allows. */
export abstract class SentSink extends PayloadSink {
  protected readonly invocation: Invocation;
  readonly #pacer: Pacer;
  #bytes = 0;

  constructor(invocation: Invocation) {
    super(invocation.record);
    this.invocation = invocation;
    this.#pacer = new Pacer(invocation.settings.bandwidth, invocation.closing);
  }

  /** Returns the bytes that the limit of the response leaves. */
  protected withinLimit(bytes: Uint8Array): Uint8Array {
    return bytes.subarray(0, Math.max(0, this.invocation.settings.maxResponseBytes - this.#bytes));
  }

  /**
   * Sends payload within the limit of the response.
   *
   * @param isWanted - Asked before each part, because a time-out may come between two parts.
   * @param send - Sends one part. Returns false where the connection takes no more for now.
   */
  protected async sendInParts(
    payload: Uint8Array,
    isWanted: () => boolean,
    send: (part: Uint8Array) => boolean,
  ): Promise<void> {
    const { writer } = this.invocation;
    for (let at = 0; at < payload.length; at += maxPartBytes) {
      const part = payload.subarray(at, at + maxPartBytes);
      await this.#pacer.pace(part.length);
      if (!isWanted() || writer.isOver) break;
      this.#bytes += part.length;
      if (!send(part)) await writer.drained();
    }
    // Without a turn of the event loop, a function that writes for ever would block everything, its own time-out too.
    if (this.stopped || writer.isOver || !writer.hasBody || payload.length === 0) await nextTurn();
  }
}
