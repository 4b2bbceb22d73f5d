import { atLeast, count, exactly, none, told, type Check } from '../check.js';
import { fates, makePlans } from '../fates.js';
import { collectGarbage } from '../../test/support/collect-garbage.js';
import type { HandlerName } from '../handlers.js';
import type { Part } from '../part.js';
import type { Plan } from '../plan.js';
import { createRandom } from '../random.js';
import { runStreams } from '../run-streams.js';
import { takeStrays } from '../strays.js';
import { createSurroundings } from '../surroundings.js';

const streams = 1_000;

/** Plans with as many streams that can wait for each other, and those that are drawn between them. */
function drawPlans(seed: number): Plan[] {
  const random = createRandom(seed);
  const plans: Plan[] = [];
  for (let waiting = 0; waiting < streams;) {
    const [plan] = makePlans(random, plans.length, 1) as [Plan];
    const isAlone = fates[plan.fate]!.isAlone;
    plans.push(isAlone ? plan : { ...plan, together: streams });
    if (!isAlone) waiting++;
  }
  return plans;
}

/**
 * A thousand streams of random fates that are open at the same time: the endpoint answers none of them before all are
 * there. Those come on top that it answers with an HTTP error, and those that are left unsent.
 */
export function concurrentPart(handlerName: HandlerName): Part {
  return {
    name: `${count(streams)} streams at once, ${handlerName}`,
    async run({ seed }): Promise<Check[]> {
      const plans = drawPlans(seed);
      const surroundings = await createSurroundings(handlerName, plans.length);
      const { endpoint, client } = surroundings;

      // Again and again, as it comes in a process that lives long: what a stream needs must not be collected.
      const collecting = setInterval(() => globalThis.gc!(), 400);
      const run = await runStreams(plans, plans.length, surroundings);
      clearInterval(collecting);

      client.destroy();
      // Node's fetch keeps its idle connections for itself, and `destroy` of its handler does nothing.
      const isNode = handlerName === 'NodeHttpHandler';
      const { openConnections } = isNode
        ? await endpoint.until((state) => state.openConnections === 0, collectGarbage)
        : await endpoint.state();
      await endpoint.stop();
      return [
        none(`streams of ${count(run.count)} that went otherwise than their fate prescribes`, run.wrong),
        atLeast('responses open at the endpoint at the same time', run.peak, streams, count),
        exactly('responses that the endpoint is still sending afterwards', run.unfinished, 0),
        isNode
          ? exactly('sockets at the endpoint after client.destroy()', openConnections, 0)
          : told('idle sockets that fetch keeps after client.destroy()', count(openConnections)),
        none('stray warnings and rejections', takeStrays()),
      ];
    },
  };
}
