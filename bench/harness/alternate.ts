/** How often each contender is measured. */
export interface Rounds {
  /** Rounds that count. */
  readonly rounds: number;
  /** Rounds before those, in which the engine compiles. */
  readonly warmUps: number;
}

/**
 * Measures contenders in turns, so that other work of the machine affects all of them. Each round begins with another
 * contender, so that no contender is always the first.
 */
export async function alternate<Name extends string, Sample>(
  names: readonly Name[],
  measure: (name: Name) => Promise<Sample>,
  { rounds, warmUps }: Rounds,
): Promise<Readonly<Record<Name, readonly Sample[]>>> {
  const samples = Object.fromEntries(names.map((name) => [name, [] as Sample[]])) as Record<Name, Sample[]>;
  for (let round = 0; round < warmUps + rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round) % names.length]!;
      const sample = await measure(name);
      if (round >= warmUps) samples[name].push(sample);
    }
  }
  return samples;
}
