import { defer, map, type Observable } from 'rxjs';
import { describe, test } from 'vitest';
import { joinInvocation } from '../../src/log/join-invocation.js';
import type { PositionedEvent } from '../../src/log/log-records.js';
import { events } from '../support/operator-coverage.js';
import { marbles } from '../support/marbles.js';
import { createMachines } from './machines.js';

const { h, a, b, c } = events;

/** The events alone, without their positions. */
const plain = map(({ position: _, ...event }: PositionedEvent) => event);

describe('joinInvocation', () => {
  test(
    'shares one invocation among all consumers of a key, on whichever machine they are',
    marbles((m) => {
      const source = m.cold('  --h-a-----b-(c|)', { h, a, b, c });
      const subs = '           ^-----------!';
      const first = '          --h-a-----b-(c|)';
      const late = '           ------(ha)b-(c|)';

      const { machine } = createMachines();
      const join = (): Observable<unknown> => joinInvocation(machine(), 'chat:1', () => source).pipe(plain);
      m.expect(join()).toBeObservable(first, { h, a, b, c });
      m.expect(defer(join), '------^').toBeObservable(late, { h, a, b, c });
      m.expect(source).toHaveSubscriptions(subs);
    }),
  );
});
