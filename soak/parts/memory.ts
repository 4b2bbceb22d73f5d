import { below, mebibytes, none, told, type Check } from '../check.js';
import type { HandlerName } from '../handlers.js';
import { rows, slowly, text, type Reading } from '../large-readings.js';
import type { Part } from '../part.js';
import { watchResidentSet } from '../resident-set.js';
import { takeStrays } from '../strays.js';
import { createSurroundings } from '../surroundings.js';

const mebibyte = 2 ** 20;

/** A large stream's size: as large as Lambda lets a response be, or less. */
const sizes = { full: 200 * mebibyte, short: 80 * mebibyte, warmUp: 24 * mebibyte };

/**
 * How far the resident set may grow while a stream passes, in bytes: far less than what passes. Node's fetch makes a
 * buffer for each read, and V8 lets about 64 MiB of buffers wait for the collector; so does a bare `fetch` loop.
 */
const maxGrowth: Readonly<Record<HandlerName, number>> = {
  NodeHttpHandler: 64 * mebibyte,
  FetchHttpHandler: 96 * mebibyte,
};

function memoryPart(what: string, reading: Reading, handlerName: HandlerName): Part {
  return {
    name: `${what}, ${handlerName}`,
    // What passes in the short form is less than what fetch may hold: that would show nothing.
    fullOnly: handlerName === 'FetchHttpHandler',
    async run({ short }): Promise<Check[]> {
      const surroundings = await createSurroundings(handlerName);
      // The same way with less: what the code itself, its compiled form, and the collector's own spaces take.
      await reading.read(surroundings, sizes.warmUp);
      const watch = await watchResidentSet();
      const { checks, bytes } = await reading.read(surroundings, short ? sizes.short : sizes.full);
      const { growth, samples } = watch.stop();
      surroundings.client.destroy();
      await surroundings.endpoint.stop();
      return [
        told('size', mebibytes(bytes)),
        ...checks,
        below('growth of the resident set at its most', growth, maxGrowth[handlerName], mebibytes),
        below('a sample of it every so many MiB, at most', bytes / mebibyte / samples, 8, (value) => value.toFixed(1)),
        none('stray warnings and rejections', takeStrays()),
      ];
    },
  };
}

export const memoryParts: readonly Part[] = [
  memoryPart('a large stream through decodeText', text, 'NodeHttpHandler'),
  memoryPart('a large stream through parseNdjson', rows, 'NodeHttpHandler'),
  memoryPart('a large stream through decodeText', text, 'FetchHttpHandler'),
  memoryPart('a large stream through parseNdjson', rows, 'FetchHttpHandler'),
  memoryPart('a large stream to a slow consumer under flow control', slowly, 'NodeHttpHandler'),
  memoryPart('a large stream to a slow consumer under flow control', slowly, 'FetchHttpHandler'),
];
