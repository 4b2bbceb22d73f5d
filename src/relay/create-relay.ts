import { of, Subscription } from 'rxjs';
import { memoryLog, stopInvocation } from '../log/index.js';
import { defined } from '../shared/defined.js';
import { assertHead, commonHeaders, corsHeaders, passDoors, preflightHeaders, type RequestHead } from './doors.js';
import type { Exchange } from './exchange.js';
import { answerBug, answerFailure, readable, type FailureAnswer } from './failure-answer.js';
import { checkGrant } from './grant.js';
import { begun, eventsOf } from './granted-events.js';
import { createNodeExchange } from './node-exchange.js';
import { readFormat, readFunctionName, readInput, readPlace } from './read-call.js';
import { createPayloadReader } from './read-payload.js';
import { toSettings, type Relay, type RelayCall, type RelayOptions } from './relay-options.js';
import { isRelayRefusal, Refusal, refusals } from './relay-refusal.js';
import { sendStream } from './send-stream.js';
import { createStreamCount } from './stream-count.js';
import { createWebExchange } from './web-exchange.js';

/**
 * Makes a relay: the server that browsers and other clients connect to, in place of Lambda.
 *
 * It speaks Lambda's own protocol, so that `relayedInvoke`, the AWS SDKs and boto3 are its clients, and server-sent
 * events for EventSource. `authorize` decides on each request; nothing runs that it did not allow.
 *
 * - **With a key** an invocation is shared through the log: by tabs, by users, by machines with `redisLog`. A client
 *   that loses its connection goes on at its byte. A disconnect does not stop the invocation, and the last client has
 *   `lingerMs` to come back.
 * - **Without a key** it belongs to one client, at the client's pace, and ends with the client's connection.
 * - **Memory** what `maxBodyBytes`, `maxPendingBodyBytes`, `maxStreams` and `maxReplayBytes` allow, and about 128 KiB
 *   for each client that does not read. After `stalledMs` such a client is dropped.
 *
 * @example
 * const relay = createRelay({
 *   authorize: async ({ request, functionName, payload }) => {
 *     const user = await userOf(request.headers.get('cookie'));
 *     if (!user) throw new RelayRefusal(401, 'Sign in first');
 *     if (functionName !== 'chat') throw new RelayRefusal(404, 'No such function');
 *     const input = { FunctionName: 'chat', Payload: payload };
 *     return { client: user.id, open: (pauseWhile) => invokeWithResponseStream(lambda, input, { pauseWhile }) };
 *   },
 * });
 * createServer(relay.listener).listen(3000);
 *
 * @throws TypeError or RangeError at the call for an option of another type or out of its range.
 */
export function createRelay<Context = unknown>(options: RelayOptions<Context>): Relay<Context> {
  const settings = toSettings(options);
  const { log = memoryLog() } = options;
  const payloads = createPayloadReader(settings);
  const count = createStreamCount(settings.maxStreams, settings.maxStreamsPerClient);
  const streams = new Subscription();
  let closed: Promise<void> | undefined;
  const assertOpen = (): void => {
    if (closed !== undefined) throw refusals.closed();
  };

  /** Answers one request. Never rejects. */
  async function handle(exchange: Exchange): Promise<void> {
    const head = exchange.head();
    const { method } = head;
    const headers = { ...commonHeaders, ...corsHeaders(head, settings) };
    const told: { request?: Request; key?: string } = {};

    function refuse(answer: FailureAnswer): void {
      const { status, name, body } = answer;
      const message = { 'content-type': 'application/json', 'x-amzn-errortype': name, ...answer.headers };
      exchange.answer(status, { ...headers, ...message }, JSON.stringify(body));
    }
    /** @param isBug - Whether it is a bug of the relay or the application, and not a failure of an invocation. */
    function tell(error: unknown, isBug = false): void {
      const { onError } = options;
      if (!onError) {
        if (isBug) console.error(error);
        return;
      }
      const request = (told.request ??= toRequest(exchange, exchange.head()));
      // A subscriber of RxJS's own reports what onError throws, and the client is answered all the same.
      // eslint-disable-next-line rxjs-x/no-ignored-error -- of() does not fail
      of(defined({ request, key: told.key })).subscribe((about) => onError(error, about));
    }

    try {
      assertHead(head);
      passDoors(head, settings);
      if (method === 'OPTIONS') {
        exchange.answer(204, { ...headers, ...(headers['access-control-allow-origin'] && preflightHeaders(head)) });
        return;
      }
      if (!['POST', 'GET', 'DELETE'].includes(method)) throw refusals.method();
      assertOpen();
      const format = method === 'DELETE' ? 'frames' : readFormat(head);
      readFunctionName(head);
      const place = readPlace(head);
      if (exchange.isBodyTaken()) {
        tell(new Error('A body parser has taken the body: mount the relay before it'), true);
        throw refusals.internal();
      }
      count.assertRoom();
      if (settings.admit && (await settings.admit(toRequest(exchange, head))) === false) throw refusals.admission();
      const payload = await payloads.read(exchange, head);
      const functionName = readFunctionName(head);
      const input = readInput(head, payload);
      told.request = toRequest(exchange, head, payload);
      const { context } = exchange;
      const call = defined({ request: told.request, functionName, payload, input, context });
      const grant = checkGrant(await settings.authorize(call as unknown as RelayCall<Context>));
      if (grant.key !== undefined) told.key = grant.key;
      // The Request holds a copy of the body. Without this line a stream would hold that copy to its end.
      delete told.request;
      // A client that has left meanwhile costs no invocation.
      if (exchange.signal.aborted) return;
      if (method === 'DELETE') {
        if (grant.key === undefined) throw refusals.nothingToStop();
        try {
          await stopInvocation(log, grant.key);
        } catch (error) {
          tell(error);
          refuse(answerFailure(error, grant.expose, true));
          return;
        }
        exchange.answer(204, headers);
        return;
      }
      assertOpen();
      if (format === 'sse' && place !== undefined && (place.ended || grant.key === undefined)) {
        // The client has got everything. A 204 stops EventSource from asking again.
        exchange.answer(204, headers);
        return;
      }
      if (place?.ended) throw refusals.malformed('The header last-event-id');
      const events = eventsOf(log, settings, grant, place);
      const leave = count.enter(grant.client);
      const stream = sendStream({
        exchange,
        format,
        expose: grant.expose,
        isKeyed: grant.key !== undefined,
        place,
        events,
        begun: begun(log, grant.key),
        headers,
        pingMs: settings.pingMs,
        stalledMs: settings.stalledMs,
        maxWaitingBytes: settings.maxReplayBytes,
        answerFailure: refuse,
        onError: tell,
      });
      stream.add(leave);
      streams.add(stream);
    } catch (thrown) {
      const error = readable(thrown);
      const isRefusal = error instanceof Refusal || isRelayRefusal(error);
      const hasLeft = exchange.signal.aborted;
      const isAbort = (error as { name?: unknown } | null)?.name === 'AbortError';
      const isOfLeaving = hasLeft && (error === exchange.signal.reason || isAbort);
      if (!isRefusal && !isOfLeaving) tell(thrown, true);
      // The client has left and gets no answer.
      if (hasLeft) return;
      refuse(isRefusal ? answerFailure(error, undefined) : answerBug(error));
    }
  }

  return {
    fetch(request, context) {
      const exchange = createWebExchange(request, context);
      void handle(exchange);
      return exchange.response;
    },
    listener(request, response) {
      void handle(createNodeExchange(request, response));
    },
    close() {
      // The owner of a log that was passed in closes it.
      closed ??= options.log === undefined ? log.close() : Promise.resolve();
      streams.unsubscribe();
      return closed;
    },
  };
}

/** Makes the Request for `authorize`. It has a copy of the body that was read. */
function toRequest({ signal }: Exchange, { method, url, headers }: RequestHead, payload?: Uint8Array): Request {
  const body = payload === undefined || method === 'GET' || payload.length === 0 ? null : payload.slice();
  return new Request(url, { method, headers, signal, body });
}
