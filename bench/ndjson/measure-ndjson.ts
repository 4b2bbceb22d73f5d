import { alternate } from '../harness/alternate.js';
import type { Effort } from '../harness/effort.js';
import { measureIn } from '../harness/measure-in.js';
import { medianOf } from '../harness/median.js';
import { startEach, withProcesses } from '../harness/processes.js';
import { megabytesPerSecond, type Row } from '../results/row.js';
import { comparedNames, limit, ours, split2Peer, type ComparedName } from './contenders.js';
import type { ParserTask } from './parser-process.js';
import { makePayload, type Recipe } from './payload.js';

const large = 64 * 1024;
const tiny = 16;

const cases: readonly (readonly [title: string, recipe: Extract<Recipe, { chunkBytes: number }>])[] = [
  ['ASCII', { kind: 'rows', records: 30_000, nonAsciiEvery: 0, chunkBytes: large }],
  ['every tenth record beyond ASCII', { kind: 'rows', records: 30_000, nonAsciiEvery: 10, chunkBytes: large }],
  ['short records', { kind: 'tokens', records: 60_000, chunkBytes: large }],
  ['ASCII', { kind: 'rows', records: 3_000, nonAsciiEvery: 0, chunkBytes: tiny }],
  ['every tenth record beyond ASCII', { kind: 'rows', records: 3_000, nonAsciiEvery: 10, chunkBytes: tiny }],
];

/** The ratios that the project has set itself. */
const targets: Readonly<Record<number, Readonly<Partial<Record<ComparedName, number>>>>> = {
  [large]: { [split2Peer]: 1.25, [limit]: 0.7 },
  [tiny]: { [split2Peer]: 2 },
};

/** parseNdjson against its peers, and against what JSON.parse alone takes: a process for each, none over a network. */
export function measureNdjson({ ndjsonRounds: rounds }: Effort): Promise<Row[]> {
  return withProcesses(async (start) => {
    const script = new URL('./parser-process.ts', import.meta.url);
    const parsers = await startEach(comparedNames, (name) => start(script, name));
    const rows: Row[] = [];
    for (const [title, recipe] of cases) {
      const { chunkBytes } = recipe;
      const task: ParserTask = { recipe, times: 1 };
      const costs = await alternate(comparedNames, (name) => measureIn(parsers[name], task), {
        rounds,
        warmUps: 5,
      });
      const bytes = makePayload(recipe).chunks.reduce((sum, { length }) => sum + length, 0);
      const speed = (name: ComparedName): number => bytes / 1e3 / medianOf(costs[name], ({ wallMs }) => wallMs);
      for (const name of comparedNames.filter((other) => other !== ours)) {
        const target = targets[chunkBytes]?.[name];
        rows.push({
          measured: `NDJSON, chunks of ${chunkBytes === large ? '64 KiB' : `${chunkBytes} B`}, ${title}`,
          unit: megabytesPerSecond,
          ours: speed(ours),
          against: { name, figure: speed(name) },
          ...(target !== undefined && { target }),
          inReadme: target !== undefined && recipe.kind === 'rows' && recipe.nonAsciiEvery === 0,
        });
      }
    }
    return rows;
  });
}
