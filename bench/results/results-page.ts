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

Written by \`npm run bench\`, which measures everything again.

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

- Figures are medians of alternating rounds, and ratios are of figures of the same run. _Better by_ compares speeds or
  costs: 2× is twice as good, 1× is equal, below 1× is worse.
- Each contender runs in a process of its own, and the server in another one. They connect over the loopback. CPU time
  is that of the whole process, with the threads of its collector and compiler. This package runs as plain JavaScript,
  the others as npm installed them.
- **Events**: each round is one stream. _Single_ is one event in each HTTP chunk, _batched_ is about 64 KiB of events
  in each. With _objects held_ the process also holds that much memory in small objects, as applications do.
- **Latency**: the SDK's \`send()\` resolves with the first frame, whenever that comes, so there is no ratio. The
  benchmark leaves the SDK's loop by \`abort()\`, because \`break\` would leave the connection open.
- **HTTP bodies**: \`fetchResponseStream\` against \`fetch\` and a loop over its reader. The server writes one small
  payload in each turn of its event loop; the cost is for each piece that arrives. Large payloads come as fast as they
  are read.
- **NDJSON**: the chunks are in memory, and there is no network. _Ready lines_ are already strings: nothing that
  parses bytes can be faster. _A bare loop_ only decodes, cuts and parses. It has no limit for a line, does not say
  where an error is, and has no subscriber.
- **Streams at once**: the server writes each token of 16 bytes in an HTTP chunk of its own. It spreads the streams
  evenly over the time between two tokens: 1,000 streams of 50 tokens a second are 50 writes in each millisecond. A
  pace is _not held_ if the reader reads tokens more than 5 % slower, or more than 5 % faster because they were late.
  It is also not held if the reader or its server is busy for more than 90 % of the time. A lower pace is then
  measured. The live heap is measured after a collection. The resident set is the growth of the process, with garbage.
  Both include Node's own sockets.
- **Growth**: _itself_ is this package at the smallest size. 1× means that an event, a byte or a chunk costs the same
  however many there are. The cost of the requests themselves, measured with empty streams, is subtracted.
- **CRC-32**: the package's own function chooses one of two others by length. It is compared with these two.
- **Importing**: each round imports the built package in a new process, after the SDK and RxJS, which an application
  loads anyway. The target of 6.67× is 0.15 of the SDK's time.
`;
}
