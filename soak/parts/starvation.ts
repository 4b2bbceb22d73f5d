import type { Agent } from 'node:http';
import { LambdaClient } from '@aws-sdk/client-lambda';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import { invokeWithResponseStream, type LambdaStreamEvent } from 'rx-lambda-stream';
import { lastValueFrom, map, mergeMap, range, reduce, Subject, take, toArray, type Observable } from 'rxjs';
import { below, count, exactly, none, told, type Check, type Part } from '../check.js';
import { EndpointProcess } from '../endpoint-process.js';
import { takeStrays } from '../strays.js';

/** The SDK's default. */
const maxSockets = 50;

/** How many streams ask for one of them. The SDK logs a warning from 100 waiting requests on. */
const streams = 3 * maxSockets - 1;

type Invoke = (FunctionName: string, id: number) => Observable<LambdaStreamEvent>;

/** How many requests wait for a socket of a client. */
function queueLength(client: LambdaClient): number {
  const { httpAgent } = (client.config.requestHandler as unknown as NodeHttpHandler).httpHandlerConfigs();
  return Object.values((httpAgent as Agent).requests).reduce((sum, requests = []) => sum + requests.length, 0);
}

/** Streams that never end hold all sockets, and the others wait. All are left, those that wait first. */
async function starve(endpoint: EndpointProcess, invoke: Invoke, client: LambdaClient): Promise<Check[]> {
  const begun = new Subject<void>();
  const full = lastValueFrom(begun.pipe(take(maxSockets)));
  const others: string[] = [];
  const open = Array.from({ length: streams }, (_, id) =>
    invoke('endless', id).subscribe({
      next({ type }) {
        if (id >= maxSockets) others.push(type);
        else if (type === 'chunk') begun.next();
      },
      error: (error: unknown) => others.push(String(error)),
    }),
  );
  await full;
  for (const stream of open.reverse()) stream.unsubscribe();
  const left = queueLength(client);
  await endpoint.until((state) => state.unfinished === 0);
  const queued = queueLength(client);
  const { arrivals } = await endpoint.state('forget');
  return [
    none('what is heard of streams without a socket', others),
    told('requests still in the queue when their streams were left', `${count(left)} of ${streams - maxSockets}`),
    exactly('requests in the queue when sockets were free', queued, 0),
    exactly('requests of streams that never end', arrivals.length, maxSockets),
  ];
}

/** As many streams again. Each takes a while, and all of them get a socket in the end. */
async function queue(endpoint: EndpointProcess, invoke: Invoke): Promise<Check[]> {
  const seen = await lastValueFrom(
    range(streams).pipe(
      mergeMap((id) => invoke('slow', id).pipe(reduce((types, { type }) => `${types} ${type}`, ''))),
      map((types) => types.trim()),
      toArray(),
    ),
  );
  const { arrivals, peakUnfinished } = await endpoint.state('forget');
  const overtaken = Math.max(...arrivals.map((id, place) => Math.abs(id - place)));
  const wanted = 'head chunk chunk complete';
  return [
    none(
      'slow streams that end otherwise',
      seen.filter((types) => types !== wanted),
    ),
    exactly('requests of slow streams', arrivals.length, streams),
    exactly('the most responses at a time', peakUnfinished, maxSockets),
    below('places by which a stream overtakes another in the queue, at most', overtaken, maxSockets, count),
  ];
}

export const starvationPart: Part = {
  name: `${streams} streams on the default ${maxSockets} sockets`,
  async run(): Promise<Check[]> {
    const endpoint = await EndpointProcess.start();
    const client = new LambdaClient(endpoint.address.clientConfig);
    const invoke: Invoke = (FunctionName, id) => invokeWithResponseStream(client, { FunctionName, Payload: { id } });
    const checks = [...(await starve(endpoint, invoke, client)), ...(await queue(endpoint, invoke))];
    client.destroy();
    const { openConnections } = await endpoint.until((state) => state.openConnections === 0);
    await endpoint.stop();
    return [
      ...checks,
      exactly('sockets at the endpoint after client.destroy()', openConnections, 0),
      none('stray warnings and rejections', takeStrays()),
    ];
  },
};
