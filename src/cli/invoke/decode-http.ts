import { concatMap, connect, defer, filter, merge, tap, type MonoTypeOperatorFunction } from 'rxjs';
import { collectResponse, decodeHttpResponse, type HeadEvent, type LambdaStreamEvent } from '../../index.js';
import type { InvokeArguments } from './invoke-arguments.js';

type EventOperator = MonoTypeOperatorFunction<LambdaStreamEvent>;

const httpIntegration = 'application/vnd.awslambda.http-integration-response';
/** AWS's limit for a response that a function returns rather than streams. */
const maxBufferedBytes = 6_291_556;

/** Decodes an HTTP response where the call asks for it, and where a mode that reads records meets an announced one. */
export function decodeHttp({ isHttp, request, failOnStatus, mode }: InvokeArguments): EventOperator {
  const decode = decodeHttpResponse({ failOnStatus });
  if (request !== undefined) {
    return (source) =>
      source.pipe(
        whereHead((head) => isMediaType(head, 'application/json'), toPrelude),
        decode,
      );
  }
  if (isHttp) return decode;
  // Raw bytes and events show what came.
  if (mode === 'raw' || mode === 'events') return tap();
  return whereHead((head) => isMediaType(head, httpIntegration), decode);
}

/** Sends the responses whose head is accepted through an operator, and all others past it. */
function whereHead(accepts: (head: HeadEvent) => boolean, operator: EventOperator): EventOperator {
  return (source) =>
    defer(() => {
      let isAccepted = false;
      return source.pipe(
        tap((event) => {
          if (event.type === 'head') isAccepted = accepts(event);
        }),
        connect((events) =>
          merge(
            events.pipe(
              filter(() => isAccepted),
              operator,
            ),
            events.pipe(filter(() => !isAccepted)),
          ),
        ),
      );
    });
}

/** Media types are case-insensitive and end at the first semicolon. */
function isMediaType({ contentType = '' }: HeadEvent, expected: string): boolean {
  return contentType.split(';', 1)[0]?.trim().toLowerCase() === expected;
}

/**
 * Writes a result that a handler returned, `{ statusCode, headers, body, … }` or any JSON, as a streamed HTTP response:
 * prelude, eight NULs, body. This is the rule of function URLs.
 */
const toPrelude: EventOperator = (source) =>
  source.pipe(
    collectResponse({ maxBytes: maxBufferedBytes }),
    concatMap(({ head, bytes, ...end }): LambdaStreamEvent[] => {
      // Without a head no response took this way.
      if (head === undefined) return [];
      const chunks = preludeAndBody(bytes).map((payload) => ({ type: 'chunk' as const, payload }));
      return [head, ...chunks, { type: 'complete', ...end }];
    }),
  );

function preludeAndBody(result: Uint8Array): Uint8Array[] {
  const { statusCode, headers, cookies, body, isBase64Encoded } = Object(parse(result)) as Readonly<
    Record<string, unknown>
  >;
  if (typeof statusCode !== 'number') {
    return [prelude({ statusCode: 200, headers: { 'content-type': 'application/json' } }), result];
  }
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  return [
    prelude({ statusCode, headers, cookies }),
    new Uint8Array(Buffer.from(text, isBase64Encoded === true ? 'base64' : 'utf8')),
  ];
}

function prelude(head: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(head)}${'\0'.repeat(8)}`);
}

function parse(json: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(json));
  } catch {
    // Not JSON, whatever its type says: it is a body.
    return undefined;
  }
}
