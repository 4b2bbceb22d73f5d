import { LambdaClient } from '@aws-sdk/client-lambda';
import { config } from 'rxjs';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { afterEach, beforeAll, beforeEach, vi } from 'vitest';
import { createDrivenBody, type BodyKind, type DrivenBody } from './driven-body.js';

interface Response {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** One HTTP request, and what the test answers to it. */
export class Exchange {
  /** Absent before the headers, and in an exchange without headers. */
  body: DrivenBody | undefined;
  /** Whether the test has answered, or the client has given up and the handler has heeded it. */
  isAnswered = false;
  /** Heeds an abort. Node's `fetch` misses it once its signal was garbage-collected. */
  readonly giveUp = (): void => this.fail(new DOMException('aborted', 'AbortError'));

  constructor(
    readonly functionName: string,
    private readonly requestId: string,
    readonly signal: AbortSignal,
    private readonly kind: BodyKind,
    private readonly resolve: (answer: { readonly response: Response }) => void,
    private readonly reject: (error: unknown) => void,
  ) {}

  /** The HTTP headers of a 200 with an event stream, or of another status without a body. */
  respond(statusCode = 200): void {
    if (!this.#answer()) return;
    this.body = createDrivenBody(this.kind);
    const headers = { 'x-amzn-requestid': this.requestId, 'content-type': 'application/vnd.amazon.eventstream' };
    this.resolve({ response: { statusCode, headers, body: this.body.body } });
  }

  /** One of AWS's exceptions. */
  refuse(statusCode: number, name: string, retryAfter?: number): void {
    if (!this.#answer()) return;
    const refusal = createDrivenBody(this.kind);
    refusal.push(new TextEncoder().encode('{"message":"m"}'));
    refusal.end();
    const headers = {
      'x-amzn-errortype': name,
      'content-type': 'application/json',
      ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    };
    this.resolve({ response: { statusCode, headers, body: refusal.body } });
  }

  /** The request cannot be sent, or breaks before the headers. */
  fail(error: unknown): void {
    if (this.#answer()) this.reject(error);
  }

  /** @returns false where the request has been answered already. */
  #answer(): boolean {
    if (this.isAnswered) return false;
    this.signal.removeEventListener('abort', this.giveUp);
    return (this.isAnswered = true);
  }
}

/** A real client, all of whose requests end up here. */
export class DrivenClient {
  exchanges: Exchange[] = [];
  #kind: BodyKind = 'Node';
  #heedsAborts = true;

  readonly client = new LambdaClient({
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    requestHandler: {
      handle: (
        { path }: { readonly path: string },
        { abortSignal = new AbortController().signal }: { readonly abortSignal?: AbortSignal } = {},
      ) =>
        new Promise<{ readonly response: Response }>((resolve, reject) => {
          const name = decodeURIComponent(path.split('/')[3] ?? '');
          const requestId = `${name}#${this.exchangesOf(name).length + 1}`;
          const exchange = new Exchange(name, requestId, abortSignal, this.#kind, resolve, reject);
          if (this.#heedsAborts) abortSignal.addEventListener('abort', exchange.giveUp, { once: true });
          this.exchanges.push(exchange);
        }),
    },
  });

  exchangesOf(functionName: string): Exchange[] {
    return this.exchanges.filter((exchange) => exchange.functionName === functionName);
  }

  /** Forgets the past, and says what bodies are made of from now on. */
  reset(kind: BodyKind, heedsAborts: boolean): void {
    this.exchanges = [];
    this.#kind = kind;
    this.#heedsAborts = heedsAborts;
  }
}

/** A client for the tests of a file, whose timers are vitest's. */
export function useDrivenClient(): DrivenClient {
  const driven = new DrivenClient();

  beforeAll(async () => {
    // The SDK reads its configuration files at the first request. After it, all is done without input or output.
    const warm = invokeWithResponseStream(driven.client, { FunctionName: 'warm' }).subscribe();
    while (driven.exchanges.length === 0) await turnOfTheEventLoop();
    warm.unsubscribe();
  });
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
    config.onUnhandledError = null;
  });
  return driven;
}

/** Waits until everything has ended that has begun and needs neither input nor output. */
export async function turnOfTheEventLoop(): Promise<void> {
  // Twice: a stream may need one turn, and what follows from it another.
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
}
