import type { Part } from '../check.js';
import { doorNames } from '../door.js';
import { concurrentPart } from './concurrent.js';
import { memoryParts } from './memory.js';
import { sequencePart } from './sequence.js';
import { starvationPart } from './starvation.js';

/** In the order in which they run. */
export const parts: readonly Part[] = [
  ...doorNames.map(concurrentPart),
  ...doorNames.map(sequencePart),
  ...memoryParts,
  starvationPart,
];
