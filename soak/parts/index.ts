import type { Part } from '../part.js';
import { concurrentPart } from './concurrent.js';
import { memoryParts } from './memory.js';
import { queuePart } from './queue.js';
import { sequencePart } from './sequence.js';
import { starvationPart } from './starvation.js';

/** In the order in which they run. */
export const parts: readonly Part[] = [
  concurrentPart('NodeHttpHandler'),
  concurrentPart('FetchHttpHandler'),
  sequencePart('NodeHttpHandler'),
  sequencePart('FetchHttpHandler'),
  ...memoryParts,
  queuePart,
  starvationPart,
];
