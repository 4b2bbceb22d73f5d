import type { Surroundings } from './machine.js';
import { toTable } from './results-table.js';
import type { Row } from './row.js';
import { showFigure } from './show-figure.js';

/** Above this load other programs used the machine too. */
const maxLoad = 0.5;

/** Describes the run in one paragraph. */
export function describeRun({ date, machine, versions }: Surroundings): string {
  return `Measured on ${date}: ${machine}; ${versions}.`;
}

/** Makes the page of results. */
export function toPage(rows: readonly Row[], surroundings: Surroundings, isQuick: boolean): string {
  const { load } = surroundings;
  return `# Benchmark results

Written by \`npm run bench\`, which measures all of it anew.

${describeRun(surroundings)}
${isQuick ? '\n> **Warning:** a quick run (`--quick`), of few rounds.\n' : ''}${
    load > maxLoad
      ? `\n> **Warning:** the machine was not quiet. Its load average was ${showFigure(load)} before the run.\n`
      : ''
  }
![Events per second by event size, on a logarithmic scale](results.svg)

## Results

${toTable(rows)}
## How it is measured

- Figures are medians of alternating rounds, and ratios are of figures of the same run. _Better by_ is more per second,
  or less of a cost: 2× is twice as good, 1× is equal, below 1× is worse.
- Each contender is a process of its own, the server another one, the connection the loopback. CPU time is that of the
  whole process, its collector's and compiler's threads included. This package runs as plain JavaScript, its peers as
  npm installed them.
- **Events**: a stream a round. _Single_ is one event an HTTP chunk, _batched_ is about 64 KiB of them. With _objects
  held_ the process also holds that much memory in small objects, as applications do.
- **Latency**: the SDK's \`send()\` resolves with the first frame, whenever that comes, so that there is no ratio. The
  SDK's loop is left by \`abort()\`, because \`break\` would leave the connection open.
- **HTTP bodies**: \`fetchResponseStream\` against \`fetch\` and a loop over its reader. Of small payloads the server
  writes one in each turn of its event loop, and the cost is by the pieces that arrive. Large ones come as fast as they
  are read.
- **NDJSON**: from chunks in memory, without a network. _Ready lines_ are strings already: nothing that parses bytes can
  be faster. _A bare loop_ decodes, cuts and parses, and does nothing else: no limit on a line, no place of an error, no
  subscriber.
- **Streams at once**: of 16-byte tokens, one an HTTP chunk and a write. A stream's interval between tokens is divided
  into slots of 1 ms over which the streams are dealt out: 1,000 streams of 50 tokens a second are 50 writes each
  millisecond. A pace is _not held_ by a reader that reads tokens more than 5 % slower or faster (those that were late),
  or that is busy, or whose server is busy, for more than 90 % of the time. A lower pace follows. The live heap is after
  a collection. The resident set is what the process has grown by, with garbage. Both hold Node's own sockets.
- **Growth**: _itself_ is this package at the smallest size; 1× says that an event, a byte or a chunk costs the same
  however many there are. The requests' own cost, measured with streams of no events, is left out.
- **CRC-32**: the one in use, which chooses by length, against the two that it chooses from.
- **Importing**: the built package in a new process each round, after the SDK and RxJS, which an application loads
  anyway. At most 0.15 of the SDK's time is 6.67×.
`;
}
