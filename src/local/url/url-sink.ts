import { setImmediate as nextTurn } from 'node:timers/promises';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { createByteCollector } from '../../shared/byte-collector.js';
import type { ResponseHead } from '../http/response-writer.js';
import { Pacer } from '../invocation/bandwidth.js';
import { maxBufferedBytes } from '../invocation/buffer-sink.js';
import { maxChunkBytes } from '../invocation/frame-sink.js';
import { commonHead, type Invocation } from '../invocation/invocation.js';
import { PayloadSink } from '../invocation/payload-sink.js';
import { preludeContentType } from '../runtime/awslambda.js';
import { PreludeParser, toHttpHead, type Prelude } from '../runtime/http-prelude.js';

/** Headers that belong to the connection. The endpoint's own HTTP server sets them. */
const connectionHeaders = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

type HttpHead = Omit<Prelude, 'rest'>;

const plainHead: HttpHead = { statusCode: 200, headers: new Map(), cookies: [] };

/** Sends a function's writes as the HTTP response of its URL, as fast as the client reads and the bandwidth allows. */
export class UrlSink extends PayloadSink {
  /** Why the function's answer is not an HTTP response. */
  fault: string | undefined;
  readonly #invocation: Invocation;
  readonly #pacer: Pacer;
  readonly #prelude = new PreludeParser();
  readonly #result = createByteCollector();
  #hasHead = false;
  #bytes = 0;

  constructor(invocation: Invocation) {
    super(invocation.record);
    this.#invocation = invocation;
    this.#pacer = new Pacer(invocation.settings.bandwidth, invocation.closing);
  }

  write(bytes: Uint8Array, done: (error?: Error) => void): void {
    this.#take(bytes).then(() => done(), done);
  }

  /** Sends what is left when the function is done. Sets the fault where that is not an HTTP response. */
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
    if (this.#hasHead || this.#setHead(head)) await this.#invocation.writer.flushHead();
  }

  protected breakOff(): void {
    if (this.#invocation.writer.hasStarted) this.#invocation.writer.reset();
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
    else await this.#invocation.writer.flushHead();
  }

  #keep(bytes: Uint8Array): void {
    const isTooLong = this.#result.length + bytes.length > maxBufferedBytes;
    if (isTooLong) this.fault = `it is longer than ${maxBufferedBytes} bytes`;
    else this.#result.append(bytes);
  }

  /** @param isResult - Whether the bytes are a result, which is sent after the function is done. */
  async #send(bytes: Uint8Array, isResult = false): Promise<void> {
    const { writer, settings } = this.#invocation;
    const allowed = bytes.subarray(0, Math.max(0, settings.maxResponseBytes - this.#bytes));
    for (let at = 0; at < allowed.length; at += maxChunkBytes) {
      const part = allowed.subarray(at, at + maxChunkBytes);
      await this.#pacer.pace(part.length);
      if ((this.stopped && !isResult) || writer.isOver) break;
      this.#bytes += part.length;
      // A copy, because the function may write to its buffer before the connection has taken the bytes.
      const isTaken = writer.write(Buffer.from(part));
      if (writer.hasBody) this.record.payloadBytes += part.length;
      if (!isTaken) await writer.drained();
    }
    // Without a turn of the event loop, a function that writes for ever would block everything, its own time-out too.
    if (this.stopped || writer.isOver || !writer.hasBody || allowed.length === 0) await nextTurn();
  }

  /** Reads a result as AWS does: an object with a `statusCode` describes the response, anything else is its JSON. */
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
   * Sets the response's head, or the fault where HTTP does not allow it. The length is known of a result only.
   *
   * @returns Whether the head is set.
   */
  #setHead({ statusCode = 200, headers, cookies, fault }: HttpHead, byteLength?: number): boolean {
    const { writer, record } = this.#invocation;
    const head: Record<string, string | readonly string[] | undefined> = {
      ...commonHead(this.#invocation),
      'content-type': this.#defaultType(),
    };
    const allowed = this.#allowedOrigin();
    for (const [name, values] of headers) {
      if (connectionHeaders.has(name) || (allowed !== undefined && name.startsWith('access-control-'))) continue;
      head[name] = name === 'set-cookie' ? values : values.join(', ');
    }
    if (cookies.length > 0) head['set-cookie'] = [...(headers.get('set-cookie') ?? []), ...cookies];
    if (allowed !== undefined) {
      head['vary'] = ['origin', ...(headers.get('vary') ?? [])].join(', ');
      // A page sees every header of the function. The names are listed, because `*` does not count beside cookies.
      head['access-control-expose-headers'] = [...Object.keys(head), 'x-amzn-requestid', 'date'].join(', ');
    }
    this.fault = fault ?? faultOf(head);
    if (this.fault !== undefined) return false;
    const isWithoutLength = byteLength === undefined || statusCode === 204 || statusCode === 304;
    writer.setHead(statusCode, { ...head, 'content-length': isWithoutLength ? undefined : String(byteLength) });
    record.responseStatus = statusCode;
    this.#hasHead = true;
    return true;
  }

  /** The origin that the endpoint's own CORS headers name, in place of the function's. */
  #allowedOrigin(): string | undefined {
    return this.#invocation.settings.cors === false ? undefined : this.record.headers.origin;
  }

  #defaultType(): string {
    if (this.isResult) return 'application/json';
    const isAnnounced = this.contentType === preludeContentType;
    return (isAnnounced ? undefined : this.contentType) ?? 'application/octet-stream';
  }
}

/** Says which header HTTP does not allow. */
function faultOf(head: ResponseHead): string | undefined {
  for (const [name, given] of Object.entries(head)) {
    try {
      validateHeaderName(name);
      for (const value of [given ?? []].flat()) validateHeaderValue(name, value);
    } catch {
      return `HTTP does not allow its header ${JSON.stringify(name.slice(0, 100))}`;
    }
  }
  return undefined;
}
