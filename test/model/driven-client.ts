import { getEventListeners } from 'node:events';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { createDrivenBody, type BodyKind, type DrivenBody } from './driven-body.js';

/** One HTTP request, and what the test answers to it. */
export interface Exchange {
  readonly functionName: string;
  /** Its number among those for the function, from 1 on. */
  readonly number: number;
  /** Absent before the headers, and where there is none. */
  readonly body: DrivenBody | undefined;
  /** Whether the test has answered, or the client has given up and the handler heeded it. */
  readonly isAnswered: boolean;
  readonly isAborted: boolean;
  /** Who still listens for the abort. */
  readonly abortListeners: number;
  /** The HTTP headers of a 200 with an event stream, or of another status without a body. */
  respond(statusCode?: number): void;
  /** One of AWS's exceptions. */
  refuse(statusCode: number, name: string, retryAfter?: number): void;
  /** The request cannot be sent, or breaks before the headers. */
  fail(error: unknown): void;
}

/** A real client, all of whose requests end up here. */
export interface DrivenClient {
  readonly client: LambdaClient;
  readonly exchanges: readonly Exchange[];
  /** Forgets the past, and says what bodies are made of from now on. */
  reset(kind: BodyKind, heedsAborts: boolean): void;
}

type Handle = (request: { path: string }, options?: { abortSignal?: AbortSignal }) => Promise<{ response: Response }>;

interface Response {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export function createDrivenClient(): DrivenClient {
  let exchanges: Exchange[] = [];
  let kind: BodyKind = 'Node';
  /** A handler may miss the abort: on Node, `fetch` does once its signal was garbage-collected. */
  let heedsAborts = true;

  const handle: Handle = ({ path }, { abortSignal = new AbortController().signal } = {}) =>
    new Promise((resolve, reject) => {
      const functionName = decodeURIComponent(path.split('/')[3] ?? '');
      const number = exchanges.filter((one) => one.functionName === functionName).length + 1;
      let isAnswered = false;
      let body: DrivenBody | undefined;

      const answer = (act: () => void): void => {
        if (isAnswered) return;
        isAnswered = true;
        abortSignal.removeEventListener('abort', giveUp);
        act();
      };
      const giveUp = (): void => answer(() => reject(new DOMException('aborted', 'AbortError')));
      if (heedsAborts) abortSignal.addEventListener('abort', giveUp);

      exchanges.push({
        functionName,
        number,
        get body() {
          return body;
        },
        get isAnswered() {
          return isAnswered;
        },
        get isAborted() {
          return abortSignal.aborted;
        },
        get abortListeners() {
          return getEventListeners(abortSignal, 'abort').filter((listener) => listener !== giveUp).length;
        },
        respond: (statusCode = 200) =>
          answer(() => {
            body = createDrivenBody(kind);
            const headers = {
              'x-amzn-requestid': `${functionName}#${number}`,
              'content-type': 'application/vnd.amazon.eventstream',
            };
            resolve({ response: { statusCode, headers, body: body.body } });
          }),
        refuse: (statusCode, name, retryAfter) =>
          answer(() => {
            const refusal = createDrivenBody(kind);
            refusal.push(new TextEncoder().encode('{"message":"m"}'));
            refusal.end();
            const headers = {
              'x-amzn-errortype': name,
              'content-type': 'application/json',
              ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
            };
            resolve({ response: { statusCode, headers, body: refusal.body } });
          }),
        // What a transport rejects with is its own.
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        fail: (error) => answer(() => reject(error)),
      });
    });

  const client = new LambdaClient({
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    requestHandler: { handle },
  });

  return {
    client,
    get exchanges() {
      return exchanges;
    },
    reset(nextKind, nextHeedsAborts) {
      exchanges = [];
      kind = nextKind;
      heedsAborts = nextHeedsAborts;
    },
  };
}
