import { LambdaClient } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { from, lastValueFrom, map, mergeMap, reduce, toArray } from 'rxjs';
import { below, count, exactly, none, told, type Check } from '../check.js';
import { EndpointProcess } from '../endpoint-process.js';
import { collectGarbage } from '../../test/support/collect-garbage.js';
import type { Part } from '../part.js';
import { takeStrays } from '../strays.js';

const streams = 200;

/** How long each function takes: long enough that the first fifty are all there before one of them ends. */
const delayMs = 300;

/** The SDK's default. */
const maxSockets = 50;

/** Four times as many streams as the SDK's default client has sockets. */
export const queuePart: Part = {
  name: `${streams} slow streams on the default ${maxSockets} sockets`,
  async run(): Promise<Check[]> {
    const endpoint = await EndpointProcess.start();
    const client = new LambdaClient(endpoint.config);
    let mostSockets = 0;
    const looking = setInterval(() => {
      void endpoint.state().then(({ openConnections }) => (mostSockets = Math.max(mostSockets, openConnections)));
    }, 20);
    const seen = await lastValueFrom(
      from(Array.from({ length: streams }, (_, id) => id)).pipe(
        mergeMap((id) =>
          invokeWithResponseStream(client, { FunctionName: 'slow', Payload: { id, delayMs } }).pipe(
            reduce((types, { type }) => `${types} ${type}`, ''),
            map((types) => types.trim()),
          ),
        ),
        toArray(),
      ),
    );
    clearInterval(looking);
    const { arrivals, peakUnfinished } = await endpoint.state(true);
    client.destroy();
    const { openConnections } = await endpoint.until((state) => state.openConnections === 0, collectGarbage);
    await endpoint.stop();
    const overtaken = Math.max(...arrivals.map((id, place) => Math.abs(id - place)));
    return [
      exactly('streams that end as they should', seen.filter((s) => s === 'head chunk chunk complete').length, streams),
      exactly('requests', arrivals.length, streams),
      exactly('the most responses at a time', peakUnfinished, maxSockets),
      told('the most sockets at the endpoint, of what was looked at', count(mostSockets)),
      below('places by which a stream overtakes another in the queue, at most', overtaken, maxSockets, count),
      exactly('sockets at the endpoint after client.destroy()', openConnections, 0),
      none('stray warnings and rejections', takeStrays()),
    ];
  },
};
