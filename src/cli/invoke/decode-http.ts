import { concatMap, connect, defer, filter, merge, tap, type MonoTypeOperatorFunction } from 'rxjs';
import { announcesPrelude, preludeDelimiterBytes } from '../../decoding/http-prelude.js';
import {
  collectResponse,
  decodeHttpResponse,
  ProtocolError,
  type HeadEvent,
  type LambdaStreamEvent,
} from '../../index.js';
import { maxBufferedBytes } from '../../local/invocation/buffer-sink.js';
import { mediaTypeOf } from '../../shared/media-type.js';
import type { InvokeArguments } from './invoke-arguments.js';

type EventOperator = MonoTypeOperatorFunction<LambdaStreamEvent>;

/** Decodes an HTTP response where the call asks for it. Modes that read records also decode an announced one. */
export function decodeHttp({ isHttp, request, failOnStatus, mode }: InvokeArguments): EventOperator {
  const decode = decodeHttpResponse({ failOnStatus });
  if (request !== undefined) {
    return (source) =>
      source.pipe(
        whereHead(({ contentType }) => mediaTypeOf(contentType) === 'application/json', toPrelude),
        decode,
      );
  }
  if (isHttp) return decode;
  // These two modes show what arrived, without decoding it.
  if (mode === 'raw' || mode === 'events') return tap();
  return whereHead(({ contentType }) => announcesPrelude(contentType), decode);
}

/** Applies an operator to the responses whose head is accepted. All other responses pass unchanged. */
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

/**
 * Writes a result that a handler returned, `{ statusCode, headers, body, … }` or any JSON, as a streamed HTTP
 * response: prelude, eight NUL bytes, body. Function URLs follow the same rule.
 */
const toPrelude: EventOperator = (source) =>
  source.pipe(
    collectResponse({ maxBytes: maxBufferedBytes }),
    concatMap(({ head, bytes, ...end }): LambdaStreamEvent[] => {
      // An empty source: no response was accepted.
      if (head === undefined) return [];
      const chunks = preludeAndBody(bytes).map((payload) => ({ type: 'chunk' as const, payload }));
      return [head, ...chunks, { type: 'complete', ...end }];
    }),
  );

function preludeAndBody(result: Uint8Array): Uint8Array[] {
  const described = parse(result);
  if (typeof described !== 'object' || described === null || !('statusCode' in described)) {
    return [prelude({ statusCode: 200, headers: { 'content-type': 'application/json' } }), result];
  }
  const { body, isBase64Encoded, ...head } = described as Readonly<Record<string, unknown>>;
  if (typeof body !== 'string' && body !== undefined && body !== null) {
    const kind = Array.isArray(body) ? 'an array' : `of type ${typeof body}`;
    throw new ProtocolError(`The response is no HTTP response: its body is not a string but ${kind}`);
  }
  const bytes = Buffer.from(body ?? '', isBase64Encoded === true ? 'base64' : 'utf8');
  return [prelude(head), new Uint8Array(bytes)];
}

function prelude(head: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(head)}${'\0'.repeat(preludeDelimiterBytes)}`);
}

function parse(json: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(json));
  } catch {
    // The result is not JSON, although its type says so. It is sent as a body.
    return undefined;
  }
}
