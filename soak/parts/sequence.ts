import { collectGarbage } from '../../test/support/collect-garbage.js';
import { below, count, exactly, mebibytes, none, told, type Check, type Part } from '../check.js';
import { openDoor, type DoorName } from '../door.js';
import { drawPlans } from '../fates.js';
import { countResources, readGauges, resourcesInWords, type Gauges } from '../gauges.js';
import { runStreams } from '../run-streams.js';
import { takeStrays } from '../strays.js';

interface Sample extends Gauges {
  readonly streams: number;
}

/** How many streams run at a time. */
const concurrency = 20;

/** Streams of random fates, one batch after another; what each batch leaves behind is gauged when it is over. */
export function sequencePart(doorName: DoorName): Part {
  return {
    name: `streams one after another, ${doorName}`,
    async run({ seed, short }): Promise<Check[]> {
      const { streams, batch, warmUp, maxGrowth } = short ? shortForm : fullForm;
      const before = countResources();
      const door = await openDoor(doorName);
      const wrong: string[] = [];
      const samples: Sample[] = [];
      let unfinished = 0;

      for (let done = 0; done < streams; done += batch) {
        const run = await runStreams(drawPlans(doorName, seed + done + 1, done, batch), concurrency, door);
        wrong.push(...run.wrong);
        unfinished += run.unfinished;
        await collectGarbage();
        samples.push({ streams: done + batch, ...readGauges() });
      }

      const observers = Number(door.pausing.observed);
      door.close();
      await door.endpoint.stop();
      await collectGarbage();
      const counted = samples.filter((sample) => sample.streams >= warmUp);
      const first = counted[0]!;
      const last = counted.at(-1)!;
      const growth = slope(counted.map((sample) => [sample.streams, sample.heldBytes]));
      return [
        none(`streams of ${count(streams)} that went otherwise than their fate prescribes`, wrong),
        exactly('responses that the endpoint is still sending after a batch', unfinished, 0),
        below(`growth a stream (${counted.length} samples)`, growth, maxGrowth, (bytes) => `${bytes.toFixed(1)} B`),
        told(
          `held after ${count(first.streams)} and after ${count(last.streams)} streams`,
          `${mebibytes(first.heldBytes)}, ${mebibytes(last.heldBytes)}`,
        ),
        exactly(
          'handles and timers at the end, as at the start',
          resourcesInWords(countResources()),
          resourcesInWords(before),
        ),
        exactly(
          'handles and timers after any batch, as after the first counted',
          resourcesInWords(counted.reduce((most, one) => (total(one) > total(most) ? one : most)).resources),
          resourcesInWords(first.resources),
        ),
        exactly('subscriptions left on a shared pauseWhile', observers, 0),
        told('open sockets after a batch, at most', count(Math.max(...counted.map(({ sockets }) => sockets)))),
        below('listeners on one socket, at most', most(counted, 'socketListeners'), first.socketListeners + 1, count),
        below('reachable AbortSignals after a batch, at most', most(counted, 'signals'), concurrency + 1, count),
        exactly('listeners on them', most(counted, 'signalListeners'), 0),
        none('stray warnings and rejections', takeStrays()),
      ];
    },
  };
}

const most = (samples: readonly Sample[], gauge: 'socketListeners' | 'signals' | 'signalListeners'): number =>
  Math.max(...samples.map((sample) => sample[gauge]));

const total = ({ resources }: Sample): number => Object.values(resources).reduce((sum, number) => sum + number, 0);

/** How much y grows with each x: the slope of the line with the least squares of errors. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return covariance / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}

/**
 * How many streams there are, in batches of which size, how many of them only warm up, and how much may stay of a
 * stream, in bytes.
 *
 * One closure that stays with every stream is some hundred bytes, an AbortController 600, a request that waits for its
 * socket 10,000. The heap still grows for 8,000 streams (compiled code and its feedback, 1 MiB in all); after that the
 * samples scatter by 100 KiB, which over 12,000 streams is 5 to 10 bytes a stream. So 50 finds what stays with one
 * fate of thirty. A thousand streams are all warm-up, with 400 to 900 bytes each: the short form finds only what is
 * larger than that.
 */
const fullForm = { streams: 20_000, batch: 500, warmUp: 8_000, maxGrowth: 50 };
const shortForm = { streams: 1_000, batch: 100, warmUp: 400, maxGrowth: 2_000 };
