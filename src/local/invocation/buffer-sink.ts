import { createByteCollector } from '../../shared/byte-collector.js';
import { PayloadSink } from './payload-sink.js';

/** AWS's limit for the payload of a buffered response. */
export const maxBufferedBytes = 6_291_556;

/** Keeps a function's writes for a buffered Invoke. */
export class BufferSink extends PayloadSink {
  readonly #kept = createByteCollector();
  #length = 0;

  /** Whether the function wrote more than AWS allows. The bytes past the limit are counted and not kept. */
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
    // Nothing was sent yet. The answer will tell of the failure.
  }
}
