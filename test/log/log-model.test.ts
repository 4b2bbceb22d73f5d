import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isLambdaStreamError } from '../../src/errors.js';
import type { JoinInvocationOptions } from '../../src/log/join-invocation.js';
import { expectNoStrays } from '../support/no-strays.js';
import { createLedger, runs } from '../support/random-runs.js';
import { inFakeTime, type FakeTime } from './fake-time.js';
import { key, leaseMs, lingerMs, LogMachines } from './log-machines.js';

expectNoStrays();

const machines = 3;

/** The machines that are cut off, and those that are cut off for good. */
interface Model {
  readonly cut: Set<number>;
  readonly dead: Set<number>;
}

interface Real {
  readonly world: LogMachines;
  readonly time: FakeTime;
  readonly options: JoinInvocationOptions;
  readonly note: (what: string) => void;
}

type Step = fc.Command<Model, Real>;

/** A step after which the laws of every moment are checked. */
const step = (
  name: string,
  run: (model: Model, real: Real) => void,
  check: (model: Readonly<Model>) => boolean = () => true,
): Step => ({
  check,
  run(model, real) {
    run(model, real);
    holdsAlways(real);
  },
  toString: () => name,
});

/** Promises 1 and 5, at every moment. */
function holdsAlways({ world }: Real): void {
  expect(world.violations).toEqual([]);
  // The function is invoked once at most for each claim that the log has granted. A claim that is heard late may find
  // that its consumer has gone.
  expect(world.connections.length).toBeLessThanOrEqual(world.claims);
}

const machine = fc.nat(machines - 1);

const steps: fc.Arbitrary<Step>[] = [
  fc.nat(1_500).map((ms) => step(`wait ${ms}`, (_, { time }) => time.advance(ms))),
  machine.map((at) =>
    step(
      `join on ${at}`,
      ({ cut }, { world, options, note }) => {
        const isStopped = world.store.inspect(key)?.status === 'stopped';
        const before = world.connections.length;
        const consumer = world.join(at, options);
        if (!isStopped || cut.has(at)) return;
        // Joining after a stop invokes nothing.
        if (consumer.error !== undefined) expect(consumer.error).toMatchObject({ code: 'stopped' });
        expect(world.connections.length).toBe(before);
        note('joins what was stopped');
      },
      ({ dead }) => !dead.has(at),
    ),
  ),
  machine.map((at) =>
    step(
      `follow on ${at}`,
      (_, { world }) => void world.follow(at),
      ({ dead }) => !dead.has(at),
    ),
  ),
  fc.tuple(machine, fc.nat()).map(([at, which]) =>
    step(
      `resume ${which} on ${at}`,
      (_, { world, options }) => {
        const positions = world.consumers.flatMap(({ position }) => (position === undefined ? [] : [position]));
        const after = positions[which % positions.length];
        if (after === undefined) return;
        const before = world.firstClaims;
        world.join(at, { ...options, after });
        // `after` starts no invocation. It may take over where the consumer has asked for that.
        expect(world.firstClaims).toBe(before);
      },
      ({ dead }) => !dead.has(at),
    ),
  ),
  fc.nat().map((which) =>
    step(`leave ${which}`, (_, { world }) => {
      const there = world.consumers.filter(({ end, error }) => end === undefined && error === undefined);
      const consumer = there[which % there.length];
      if (consumer) world.leave(consumer);
    }),
  ),
  machine.map((at) =>
    step(
      `crash ${at}`,
      ({ cut, dead }, { world, note }) => {
        world.machines[at]!.cut();
        cut.add(at);
        dead.add(at);
        note('crash');
      },
      ({ dead }) => !dead.has(at) && dead.size < machines - 1,
    ),
  ),
  machine.map((at) =>
    step(
      `cut ${at} off`,
      ({ cut }, { world }) => {
        world.machines[at]!.cut();
        cut.add(at);
      },
      ({ cut }) => !cut.has(at),
    ),
  ),
  machine.map((at) =>
    step(
      `${at} goes on`,
      ({ cut }, { world, note }) => {
        cut.delete(at);
        world.machines[at]!.heal();
        note('heals');
      },
      ({ cut, dead }) => cut.has(at) && !dead.has(at),
    ),
  ),
  machine.map((at) =>
    step(
      `${at} thaws`,
      ({ cut }, { world, note }) => {
        cut.delete(at);
        world.machines[at]!.thaw();
        note('thaws');
      },
      ({ cut, dead }) => cut.has(at) && !dead.has(at),
    ),
  ),
  machine.map((at) =>
    step(
      `stop from ${at}`,
      (_, { world }) => world.stop(at),
      ({ cut }) => !cut.has(at),
    ),
  ),
  fc.integer({ min: 500, max: 4_000 }).map((ms) =>
    step(`the producer is frozen for ${ms}`, ({ cut }, { world, time, note }) => {
      const { producer } = world;
      if (producer === undefined || cut.has(producer)) return;
      const before = world.store.inspect(key)?.owner;
      world.machines[producer]!.cut();
      time.advance(ms);
      const { owner, status } = world.store.inspect(key) ?? {};
      if (owner !== before || status !== 'running') note('outlives its claim');
      world.machines[producer]!.thaw();
    }),
  ),
  fc.constant(step('the function fails', (_, { world }) => world.failFunction())),
];

/** Half of the steps are waits: without them no time passes, and nothing happens. */
const weighted = [...Array.from({ length: steps.length - 1 }, () => steps[0]!), ...steps.slice(1)];

const commandLists = fc.commands(weighted, { maxCommands: 40, size: 'max' });

const options: Record<string, JoinInvocationOptions> = {
  error: {},
  restart: { idempotent: true, afterProducerLoss: 'restart' },
  replay: { idempotent: true, afterProducerLoss: 'replay' },
  continue: { idempotent: true, afterProducerLoss: 'continue' },
};

it.each(Object.keys(options))(
  "promises 1 to 7 hold for three machines that come, go, crash and are cut off, under '%s'",
  (mode) => {
    const ledger = createLedger({
      'a crash': /^crash$/,
      'a machine that goes on': /^heals$/,
      'a frozen machine that goes on': /^thaws$/,
      'a frozen producer that goes on after its claim was over': /^outlives its claim$/,
      'a connection that only leaving closes': /^closed by leaving$/,
      'a join of what was stopped': /^joins what was stopped$/,
      'a loss': /^error producer-lost$/,
      'a whole response': /^complete$/,
      ...(mode === 'error' ? {} : { 'a take-over': /^took over$/ }),
    });
    // Under 'replay' every invocation must bring the same bytes. Otherwise each has bytes of its own. Under 'continue'
    // an invocation begins where the log ends.
    const byteOf = (invocation: number, offset: number): number =>
      (mode === 'replay' ? offset * 7 : invocation * 101 + offset * 7) & 255;
    fc.assert(
      fc.property(commandLists, fc.constantFrom(150, 1_600), fc.boolean(), (commands, everyMs, leavesFirst) => {
        inFakeTime((time) => {
          const world = new LogMachines(machines, byteOf, everyMs, mode === 'continue');
          const model: Model = { cut: new Set(), dead: new Set() };
          const real: Real = { world, time, options: options[mode]!, note: ledger.note };
          fc.modelRun(() => ({ model, real }), commands);
          if (!leavesFirst) endsForAll(model, real);
          closesAfterTheLast(real);
        });
      }),
      runs(400),
    );
    ledger.expectAllMet();
  },
);

/** Promises 3 and 7: a response that is not complete ends with a typed error, and nobody waits for ever. */
function endsForAll({ cut }: Model, real: Real): void {
  const { world, time, note } = real;
  // The function ends, a loss is noticed, a take-over runs, and three leases of silence pass within this time.
  time.advance(60 * leaseMs);
  holdsAlways(real);
  const there = world.consumers.filter(({ machine: at }) => !cut.has(at));
  for (const { end, error, what, machine: at } of there) {
    if (end === undefined && error === undefined) throw new Error(`${what} on ${at} waits for ever`);
    if (end !== undefined) note(end);
    else if (isLambdaStreamError(error)) note(`error ${error.code}`);
    else expect(error).toMatchObject({ message: 'the function failed' });
  }
  if (world.claims > world.firstClaims) note('took over');
}

/** Promise 2: the connection closes after the last consumer has left, on machines that are cut off too. */
function closesAfterTheLast(real: Real): void {
  const { world, time, note } = real;
  if (world.connections.includes(true)) note('closed by leaving');
  for (const consumer of world.consumers) world.leave(consumer);
  time.advance(lingerMs + 5 * leaseMs);
  expect(world.connections).not.toContain(true);
  holdsAlways(real);
}
