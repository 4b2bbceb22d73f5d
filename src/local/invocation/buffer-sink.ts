import { createByteCollector } from '../../shared/byte-collector.js';
import { PayloadSink } from './payload-sink.js';

/** AWS's limit for the payload of a buffered response. */
export const maxBufferedBytes = 6_291_556;

/** Keeps a function's writes for a buffered Invoke. */
export class BufferSink extends PayloadSink {
  readonly #kept = createByteCollector();
  #length = 0;

  /** The function wrote more than AWS takes. What came after is counted, but not kept. */
  get isTooLong(): boolean {
    return this.#length > maxBufferedBytes;
  }

  get payload(): Uint8Array {
    return this.#kept.toBytes();
  }

  write(bytes: Uint8Array, done: () => void): void {
    if (!this.stopped) this.#length += bytes.length;
    if (this.stopped || this.isTooLong) {
      // Without a turn of the event loop, a function that writes for ever would block everything, its own time-out too.
      setImmediate(done);
      return;
    }
    this.#kept.append(bytes);
    this.record.payloadBytes += bytes.length;
    done();
  }

  protected breakOff(): void {
    // Nothing has been sent: the answer will say so.
  }
}
