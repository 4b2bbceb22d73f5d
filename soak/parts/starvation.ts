import { InvokeWithResponseStreamCommand, LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { classifyInvocationError, invokeWithResponseStream, type LambdaStreamEvent } from 'rx-lambda-stream';
import { from, mergeMap, Observable, timeout } from 'rxjs';
import { setTimeout as delay } from 'node:timers/promises';
import { count, exactly, none, told, type Check } from '../check.js';
import { EndpointProcess } from '../endpoint-process.js';
import { collectGarbage } from '../../test/support/collect-garbage.js';
import { agentOf, firsts, leave, open, queueLength, socketsLeft, type OpenStream } from '../open-streams.js';
import type { Part } from '../part.js';
import { takeStrays, untilStray } from '../strays.js';

/** The SDK's default. */
const maxSockets = 50;

/** From how many waiting requests on the SDK warns: twice its sockets. */
const warnsFrom = 2 * maxSockets;

/** What the SDK warns with, 3 s after the request that found so many others waiting. */
const warning =
  `console.warn: @smithy/node-http-handler:WARN - socket usage at capacity=${maxSockets} and ` +
  `${warnsFrom} additional requests are enqueued.\n` +
  'See https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/node-configuring-maxsockets.html\n' +
  'or increase socketAcquisitionWarningTimeout=(millis) in the NodeHttpHandler config.';

/** Longer than that. */
const silenceMs = 3_500;

/** Fifty streams that never end hold the default client's fifty sockets: what the next one's subscriber sees. */
async function starve(endpoint: EndpointProcess): Promise<Check[]> {
  const client = new LambdaClient(endpoint.config);
  const endless = (id: number): Observable<LambdaStreamEvent> =>
    invokeWithResponseStream(client, { FunctionName: 'endless', Payload: { id } });
  const holders = open(maxSockets, endless);
  await firsts(holders);

  const [next] = open(1, endless, maxSockets) as [OpenStream];
  await delay(silenceMs);
  const silent = [...next.heard, ...takeStrays()];
  const requestsThen = (await endpoint.state()).requests;

  const others = open(warnsFrom - 1, endless, maxSockets + 1);
  const start = performance.now();
  const warned = await untilStray(2 * silenceMs);
  const warnedAfter = performance.now() - start;

  holders[0]!.subscription.unsubscribe();
  await next.first;
  const served = (await endpoint.state()).requests;

  leave(others);
  const left = queueLength(client);
  leave([next, ...holders]);
  await endpoint.until((state) => state.unfinished === 0, collectGarbage);
  const queuedAtLast = queueLength(client);
  const sent = (await endpoint.state(true)).requests;
  client.destroy();
  return [
    none(`what is heard of a stream without a socket, and logged, in ${silenceMs} ms`, silent),
    exactly('requests at the endpoint by then', requestsThen, maxSockets),
    none(
      `the SDK's warning about ${warnsFrom} waiting requests, other than expected`,
      warned === warning ? [] : [warned],
    ),
    told('it comes after', `${(warnedAfter / 1000).toFixed(1)} s`),
    exactly('requests at the endpoint when one of the fifty was left', served, maxSockets + 1),
    told('requests still in the queue when their streams were left', `${count(left)} of ${count(others.length)}`),
    exactly('requests in the queue when a socket was free', queuedAtLast, 0),
    exactly('requests that were sent after all', sent - served, 0),
  ];
}

/** What ends the wait, with two sockets and two streams that never end. */
async function endTheWait(endpoint: EndpointProcess): Promise<Check[]> {
  const errorOf = async (
    settings: NonNullable<LambdaClientConfig['requestHandler']>,
    limit: (source: Observable<LambdaStreamEvent>) => Observable<LambdaStreamEvent>,
  ): Promise<string> => {
    const client = new LambdaClient({
      ...endpoint.config,
      requestHandler: { httpAgent: { maxSockets: 2 }, ...settings },
    });
    const endless = (id: number): Observable<LambdaStreamEvent> =>
      invokeWithResponseStream(client, { FunctionName: 'endless', Payload: { id } });
    const holders = open(2, endless);
    await firsts(holders);
    const before = (await endpoint.state()).requests;
    const error = await open(1, (id) => limit(endless(id)), 2)[0]!.first;
    const sent = (await endpoint.state()).requests - before;
    leave(holders);
    // A request that was given up stands in the agent's queue until a socket is free: see `destroyAtOnce`.
    await endpoint.until((state) => state.unfinished === 0 && queueLength(client) === 0, collectGarbage);
    client.destroy();
    const { verdict, mayHaveRun } = classifyInvocationError(error);
    return `${(error as Error).name}, ${sent} sent, ${verdict}, ${mayHaveRun ? 'may have' : 'has not'} run`;
  };
  return [
    exactly(
      'connectionTimeout of the handler ends the wait',
      await errorOf({ connectionTimeout: 500 }, (source) => source),
      'TimeoutError, 0 sent, soon, has not run',
    ),
    exactly(
      "RxJS's timeout({ first }) ends the wait",
      await errorOf({}, (source) => source.pipe(timeout({ first: 500 }))),
      'TimeoutError, 0 sent, soon, may have run',
    ),
  ];
}

/**
 * Gives up a waiting request, leaves the two streams before it, and destroys the client in the same turn.
 *
 * Node's agent keeps a destroyed request in its queue. When the sockets of the two streams close, the agent opens a
 * socket for that request, although `client.destroy()` has destroyed the agent. The socket stays idle until the server
 * or the process ends it, and does not keep the process alive. The SDK alone does the same.
 */
async function destroyAtOnce(endpoint: EndpointProcess): Promise<Check> {
  async function leftBy(invoke: (client: LambdaClient, id: number) => Observable<unknown>): Promise<number> {
    const client = new LambdaClient({ ...endpoint.config, requestHandler: { httpAgent: { maxSockets: 2 } } });
    const streams = open(3, (id) => invoke(client, id));
    await firsts(streams.slice(0, 2));
    leave(streams.reverse());
    client.destroy();
    const left = await socketsLeft(client);
    agentOf(client).destroy();
    return left;
  }
  const ours = await leftBy((client, id) =>
    invokeWithResponseStream(client, { FunctionName: 'endless', Payload: { id } }),
  );
  const bare = await leftBy(invokeWithTheSdkAlone);
  return exactly('sockets that a client leaves when destroyed at once, as with the SDK alone', ours, bare);
}

/** Emits each event of the SDK's own iterator. Unsubscribing aborts the request. */
function invokeWithTheSdkAlone(client: LambdaClient, id: number): Observable<unknown> {
  return new Observable((subscriber) => {
    const controller = new AbortController();
    subscriber.add(() => controller.abort());
    const Payload = new TextEncoder().encode(JSON.stringify({ id }));
    const command = new InvokeWithResponseStreamCommand({ FunctionName: 'endless', Payload });
    from(client.send(command, { abortSignal: controller.signal }))
      .pipe(mergeMap(({ EventStream }) => EventStream!))
      .subscribe(subscriber);
  });
}

/** The same streams on a client that has room for them. */
async function makeRoom(endpoint: EndpointProcess): Promise<Check[]> {
  const client = new LambdaClient({ ...endpoint.config, requestHandler: { httpAgent: { maxSockets: 500 } } });
  const streams = open(4 * maxSockets, (id) =>
    invokeWithResponseStream(client, { FunctionName: 'endless', Payload: { id } }),
  );
  await firsts(streams);
  leave(streams);
  const { peakUnfinished } = await endpoint.until((state) => state.unfinished === 0, collectGarbage);
  client.destroy();
  const { openConnections } = await endpoint.until((state) => state.openConnections === 0, collectGarbage);
  return [
    exactly('streams at a time with maxSockets: 500', peakUnfinished, 4 * maxSockets),
    exactly('sockets at the endpoint after client.destroy()', openConnections, 0),
  ];
}

export const starvationPart: Part = {
  name: `more streams than the default ${maxSockets} sockets, none of which ends`,
  async run(): Promise<Check[]> {
    const endpoint = await EndpointProcess.start();
    const checks = [
      ...(await starve(endpoint)),
      ...(await endTheWait(endpoint)),
      await destroyAtOnce(endpoint),
      ...(await makeRoom(endpoint)),
    ];
    await endpoint.stop();
    return [...checks, none('stray warnings and rejections', takeStrays())];
  },
};
