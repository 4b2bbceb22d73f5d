import { configure } from 'rxjs-marbles';
import { expect } from 'vitest';

/** rxjs-marbles with vitest's own comparison, which also tells absent from undefined and classes apart. */
export const { marbles } = configure({
  assertDeepEqual: (actual, expected) => expect(actual).toStrictEqual(expected),
  frameworkMatcher: true,
});
