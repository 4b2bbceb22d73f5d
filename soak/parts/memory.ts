import { createFlowControl, decodeText, parseNdjson, type LambdaStreamEvent } from 'rx-lambda-stream';
import { lastValueFrom, tap, timer, type Observable } from 'rxjs';
import { collectGarbage } from '../../test/support/collect-garbage.js';
import { atLeast, below, count, exactly, mebibytes, none, told, type Check, type Part } from '../check.js';
import { doorNames, openDoor, type DoorName } from '../door.js';
import { block, blockRows, nameOf, rowBytes, type Row } from '../rows.js';
import { takeStrays } from '../strays.js';

const mebibyte = 2 ** 20;

/** A large stream's size: as large as Lambda lets a response be, or less. */
const sizes = { full: 200 * mebibyte, short: 80 * mebibyte, warmUp: 24 * mebibyte };

/**
 * How far the resident set may grow while a stream passes, in bytes: far less than what passes. Node's fetch makes a
 * buffer for each read, and V8 lets about 64 MiB of buffers wait for the collector. A bare `fetch` loop grows equally.
 */
const maxGrowth: Readonly<Record<DoorName, number>> = {
  NodeHttpHandler: 64 * mebibyte,
  FetchHttpHandler: 96 * mebibyte,
  fetchResponseStream: 96 * mebibyte,
};

/** How often the resident set is measured, in milliseconds. A measurement costs some microseconds. */
const lookEveryMs = 10;

/** How long the work for one chunk of at most 64 KiB takes, in milliseconds: slower than the stream by far. */
const workMs = 1;

/** Reads so many blocks of rows to their end, and finds what is wrong with them. */
type Reading = (
  invoke: (pauseWhile?: Observable<boolean>) => Observable<LambdaStreamEvent>,
  blocks: number,
) => Promise<Check[]>;

/** Each piece of text is compared with what was sent. */
const text: Reading = async (invoke, blocks) => {
  // Any piece is somewhere in here, from any character of the first block on.
  let expected = block + block;
  let length = 0;
  let wrong = 0;
  const check = (piece: string): void => {
    while (expected.length < block.length + piece.length) expected += block;
    if (!expected.startsWith(piece, length % block.length)) wrong++;
    length += piece.length;
  };
  await lastValueFrom(invoke().pipe(decodeText(), tap(check)));
  return [
    exactly('characters', length, blocks * block.length),
    exactly('pieces of text that are not what was sent', wrong, 0),
  ];
};

/** Each record is compared with what was sent. */
const records: Reading = async (invoke, blocks) => {
  let read = 0;
  let wrong = 0;
  const check = ({ id, name }: Row): void => {
    if (id !== read % blockRows || name !== nameOf(id)) wrong++;
    read++;
  };
  await lastValueFrom(invoke().pipe(parseNdjson<Row>(), tap(check)));
  return [
    exactly('records', read, blocks * blockRows),
    exactly('records that are not what was sent, in order', wrong, 0),
  ];
};

/** Chunk by chunk, with work that is slower than the stream, under flow control. */
const slowly: Reading = async (invoke, blocks) => {
  const flow = createFlowControl();
  let pauses = 0;
  let isPaused = false;
  let bytes = 0;
  const watching = flow.paused.subscribe((paused) => {
    isPaused = paused;
    if (paused) pauses++;
  });
  const work = (event: LambdaStreamEvent): Observable<unknown> =>
    timer(workMs).pipe(tap(() => (bytes += event.type === 'chunk' ? event.payload.length : 0)));
  await lastValueFrom(invoke(flow.paused).pipe(flow.mergeMap(work, 1)));
  watching.unsubscribe();
  return [
    exactly('bytes', bytes, blocks * blockRows * rowBytes),
    atLeast('pauses', pauses, 1, count),
    exactly('paused at the end', String(isPaused), 'false'),
  ];
};

/**
 * Watches the resident set while something runs: what the operating system counts, garbage that waits for its collector
 * included, since a container's limit is held against that. Nothing is collected by force meanwhile.
 */
async function watchResidentSet<T>(run: () => Promise<T>): Promise<{ result: T; growth: number; samples: number }> {
  await collectGarbage();
  const start = process.memoryUsage.rss();
  const samples: number[] = [];
  const looking = setInterval(() => samples.push(process.memoryUsage.rss()), lookEveryMs);
  const result = await run();
  clearInterval(looking);
  samples.push(process.memoryUsage.rss());
  return { result, growth: Math.max(...samples) - start, samples: samples.length };
}

function memoryPart(what: string, reading: Reading, doorName: DoorName): Part {
  return {
    name: `${what}, ${doorName}`,
    // What passes in the short form is less than what fetch may hold: that would show nothing.
    fullOnly: doorName !== 'NodeHttpHandler',
    async run({ short }): Promise<Check[]> {
      const door = await openDoor(doorName);
      const read = (bytes: number): Promise<Check[]> => {
        const blocks = Math.floor(bytes / blockRows / rowBytes);
        const payload = (): object => ({ blocks });
        return reading((pauseWhile) => door.invoke('rows', payload, pauseWhile && { pauseWhile }), blocks);
      };
      // The same way with less: what the code itself, its compiled form, and the collector's own spaces take.
      await read(sizes.warmUp);
      const size = short ? sizes.short : sizes.full;
      const { result, growth, samples } = await watchResidentSet(() => read(size));
      door.close();
      await door.endpoint.stop();
      return [
        told('size', mebibytes(size)),
        ...result,
        below('growth of the resident set at its most', growth, maxGrowth[doorName], mebibytes),
        below('a sample of it every so many MiB, at most', size / mebibyte / samples, 8, (value) => value.toFixed(1)),
        none('stray warnings and rejections', takeStrays()),
      ];
    },
  };
}

export const memoryParts: readonly Part[] = doorNames.flatMap((name) => [
  memoryPart('a large stream through decodeText', text, name),
  memoryPart('a large stream through parseNdjson', records, name),
  memoryPart('a large stream to a slow consumer under flow control', slowly, name),
]);
