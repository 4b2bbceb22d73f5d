import { setImmediate as nextTurn } from 'node:timers/promises';
import { createByteCollector } from '../../shared/byte-collector.js';
import { maxBufferedBytes } from '../invocation/buffer-sink.js';
import { SentSink } from '../invocation/sent-sink.js';
import { preludeContentType } from '../runtime/awslambda.js';
import { PreludeParser, toHttpHead, type Prelude } from '../runtime/http-prelude.js';
import { headerFault, plainHead, urlHeaders, type HttpHead } from './url-head.js';

/** Sends a function's writes as the HTTP response of its URL. */
export class UrlSink extends SentSink {
  /** Why the function's answer is not an HTTP response. */
  fault: string | undefined;
  readonly #prelude = new PreludeParser();
  readonly #result = createByteCollector();
  #hasHead = false;

  write(bytes: Uint8Array, done: (error?: Error) => void): void {
    this.#take(bytes).then(() => done(), done);
  }

  /** Sends the rest when the function is done. Sets the fault where the answer is not an HTTP response. */
  async finish(): Promise<void> {
    if (this.isResult) await this.#sendResult();
    else if (!this.#hasHead && this.fault === undefined) {
      if (this.contentType === preludeContentType) this.fault = 'the announced HTTP prelude never came';
      else this.#setHead(plainHead);
    }
  }

  /** Sends the head now. The status and headers count only where the function has not set the head. */
  async start(statusCode = 200, headers: Readonly<Record<string, string | undefined>> = {}): Promise<void> {
    const given = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, [value]]]));
    const head = { statusCode, headers: new Map(given as [string, string[]][]), cookies: [] };
    if (this.#hasHead || this.#setHead(head)) await this.invocation.writer.flushHead();
  }

  protected breakOff(): void {
    if (this.invocation.writer.hasStarted) this.invocation.writer.reset();
  }

  async #take(bytes: Uint8Array): Promise<void> {
    if (this.stopped || this.fault !== undefined) return nextTurn();
    if (this.isResult) {
      this.#keep(bytes);
      return;
    }
    if (this.#hasHead) await this.#send(bytes);
    else if (this.contentType === preludeContentType) await this.#begin(this.#prelude.push(bytes));
    else if (this.#setHead(plainHead)) await this.#send(bytes);
  }

  /** Begins the response when the whole prelude has come. */
  async #begin(prelude: Prelude | undefined): Promise<void> {
    if (prelude === undefined || !this.#setHead(prelude)) return;
    if (prelude.rest.length > 0) await this.#send(prelude.rest);
    else await this.invocation.writer.flushHead();
  }

  #keep(bytes: Uint8Array): void {
    const isTooLong = this.#result.length + bytes.length > maxBufferedBytes;
    if (isTooLong) this.fault = `it is longer than ${maxBufferedBytes} bytes`;
    else this.#result.append(bytes);
  }

  /** @param isResult - Whether the bytes are a result. A result is sent after the function is done. */
  #send(bytes: Uint8Array, isResult = false): Promise<void> {
    const { writer } = this.invocation;
    return this.sendInParts(
      this.withinLimit(bytes),
      () => isResult || !this.stopped,
      (part) => {
        if (writer.hasBody) this.record.payloadBytes += part.length;
        // A copy, because the function may write to its buffer before the connection has taken the bytes.
        return writer.write(Buffer.from(part));
      },
    );
  }

  /** Reads a result as AWS does. An object with a `statusCode` describes the response. Any other result is the body. */
  async #sendResult(): Promise<void> {
    if (this.fault !== undefined) return;
    const json = this.#result.toBytes();
    const value = JSON.parse(Buffer.from(json).toString()) as unknown;
    const isDescription = typeof value === 'object' && value !== null && 'statusCode' in value;
    if (!isDescription) {
      if (this.#setHead(plainHead, json.length)) await this.#send(json, true);
      return;
    }
    const { body = '', isBase64Encoded = false } = value as { body?: unknown; isBase64Encoded?: unknown };
    if (typeof body !== 'string' && body !== null) {
      this.fault = `its body is not a string but ${Array.isArray(body) ? 'an array' : `of type ${typeof body}`}`;
      return;
    }
    const bytes = Buffer.from(body ?? '', isBase64Encoded === true ? 'base64' : 'utf8');
    if (this.#setHead(toHttpHead(value), bytes.length)) await this.#send(bytes, true);
  }

  /**
   * Sets the response's head, or the fault where HTTP does not allow that head.
   *
   * @param byteLength - The body's length, which is known of a result only.
   * @returns Whether the head is set.
   */
  #setHead(head: HttpHead, byteLength?: number): boolean {
    const { writer, record } = this.invocation;
    const { statusCode = 200 } = head;
    const headers = urlHeaders(head, this.#defaultType(), this.invocation);
    this.fault = head.fault ?? headerFault(headers);
    if (this.fault !== undefined) return false;
    const isWithoutLength = byteLength === undefined || statusCode === 204 || statusCode === 304;
    writer.setHead(statusCode, { ...headers, 'content-length': isWithoutLength ? undefined : String(byteLength) });
    record.responseStatus = statusCode;
    this.#hasHead = true;
    return true;
  }

  #defaultType(): string {
    if (this.isResult) return 'application/json';
    const isAnnounced = this.contentType === preludeContentType;
    return (isAnnounced ? undefined : this.contentType) ?? 'application/octet-stream';
  }
}
