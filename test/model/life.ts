import type { ModelConsumer } from './rules/consumer.js';
import type { WatchedConsumer } from './watch-consumer.js';

/** A consumer, and what it is to come to. */
export interface Life {
  readonly who: number;
  readonly model: ModelConsumer;
  readonly real: WatchedConsumer;
}

interface Told {
  readonly values: readonly string[];
  readonly endings: readonly string[];
  /** After the end, or after it had left. */
  readonly late: readonly string[];
}

/** What the consumer was told. */
export function told({ real: { values, endings, late } }: Life): Told {
  return { values, endings, late };
}

/** What it is to be told. */
export function toBeTold({ model: { values, ending } }: Life): Told {
  return { values, endings: ending === undefined ? [] : [ending], late: [] };
}
