import { atLeast, count, exactly, none, told, type Check, type Part } from '../check.js';
import { openDoor, type DoorName } from '../door.js';
import type { Plan } from '../fate.js';
import { drawPlans, fatesOf } from '../fates.js';
import { runStreams } from '../run-streams.js';
import { takeStrays } from '../strays.js';

const streams = 1_000;

/** Plans with as many streams that can wait for each other, and those that are drawn between them. */
function drawTogether(door: DoorName, seed: number): Plan[] {
  const plans: Plan[] = [];
  let waiting = 0;
  for (const plan of drawPlans(door, seed, 0, 4 * streams)) {
    const isAlone = fatesOf(door)[plan.fate]!.isAlone;
    plans.push(isAlone ? plan : { ...plan, together: streams });
    if (!isAlone && ++waiting === streams) break;
  }
  return plans;
}

/**
 * A thousand streams of random fates that are open at the same time: the endpoint answers none of them before all are
 * there. Streams that cannot wait come on top: those that it refuses, and those that may be left unsent.
 */
export function concurrentPart(doorName: DoorName): Part {
  return {
    name: `${count(streams)} streams at once, ${doorName}`,
    async run({ seed }): Promise<Check[]> {
      const plans = drawTogether(doorName, seed);
      const door = await openDoor(doorName, plans.length);

      // Again and again, as it comes in a process that lives long: what a stream needs must not be collected.
      const collecting = setInterval(() => globalThis.gc!(), 400);
      const run = await runStreams(plans, plans.length, door);
      clearInterval(collecting);

      door.close();
      const isNode = doorName === 'NodeHttpHandler';
      const { openConnections } = await door.endpoint.until((state) => !isNode || state.openConnections === 0);
      await door.endpoint.stop();
      return [
        none(`streams of ${count(plans.length)} that went otherwise than their fate prescribes`, run.wrong),
        atLeast('responses open at the endpoint at the same time', run.peak, streams, count),
        exactly('responses that the endpoint is still sending afterwards', run.unfinished, 0),
        isNode
          ? exactly('sockets at the endpoint after client.destroy()', openConnections, 0)
          : told('idle sockets that fetch keeps', count(openConnections)),
        none('stray warnings and rejections', takeStrays()),
      ];
    },
  };
}
