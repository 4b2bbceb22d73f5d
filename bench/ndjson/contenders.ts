import { parse as parseItNdjson } from 'it-ndjson';
import ndjson from 'ndjson';
import { from } from 'rxjs';
import split2 from 'split2';
import type { Duplex } from 'node:stream';
import { parseNdjson } from 'rx-lambda-stream';

/** Reads chunks to their end and returns the number of records. */
export type Contender = (chunks: readonly Uint8Array[], lines: readonly string[]) => Promise<number>;

/** Writes the chunks straight into the splitter, so that only its own cost is measured. */
async function throughDuplex(splitter: Duplex, chunks: readonly Uint8Array[]): Promise<number> {
  let records = 0;
  await new Promise<void>((resolve, reject) => {
    splitter.on('data', () => records++);
    splitter.on('error', reject);
    splitter.on('end', resolve);
    for (const chunk of chunks) splitter.write(chunk);
    splitter.end();
  });
  return records;
}

/** Reads with the streams of the web platform, without a library. */
async function throughWebStreams(chunks: readonly Uint8Array[]): Promise<number> {
  let held = '';
  const splitter = new TransformStream<string, unknown>({
    transform(text, controller) {
      const lines = (held + text).split('\n');
      held = lines.pop() ?? '';
      for (const line of lines) if (line !== '') controller.enqueue(JSON.parse(line));
    },
    flush(controller) {
      if (held !== '') controller.enqueue(JSON.parse(held));
    },
  });
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
      controller.close();
    },
  });
  let records = 0;
  for await (const _record of source.pipeThrough(new TextDecoderStream()).pipeThrough(splitter)) records++;
  return records;
}

/** Reads lines in a bare loop, without limits, places of errors or a subscriber. */
function throughLoop(chunks: readonly Uint8Array[]): number {
  const decoder = new TextDecoder();
  let records = 0;
  let held = '';
  for (const chunk of chunks) {
    const text = held + decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let to; (to = text.indexOf('\n', from)) >= 0; from = to + 1) {
      JSON.parse(text.slice(from, to));
      records++;
    }
    held = text.slice(from);
  }
  return records;
}

function throughOurs(chunks: readonly Uint8Array[], maxLineBytes?: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let records = 0;
    from(chunks)
      .pipe(parseNdjson(maxLineBytes === undefined ? {} : { maxLineBytes }))
      .subscribe({ next: () => records++, error: reject, complete: () => resolve(records) });
  });
}

export const ours = '`parseNdjson`';
export const limit = '`JSON.parse` of ready lines';
export const split2Peer = 'split2 with `JSON.parse`';
/** Ours, with lines of any length. */
export const oursUnlimited = '`parseNdjson`, unlimited';

const contenders = {
  [ours]: (chunks) => throughOurs(chunks),
  [oursUnlimited]: (chunks) => throughOurs(chunks, Infinity),
  [limit]: (_chunks, lines) => {
    let records = 0;
    for (const line of lines) {
      JSON.parse(line);
      records++;
    }
    return Promise.resolve(records);
  },
  'a bare loop': (chunks) => Promise.resolve(throughLoop(chunks)),
  [split2Peer]: (chunks) => throughDuplex(split2(JSON.parse), chunks),
  ndjson: (chunks) => throughDuplex(ndjson.parse(), chunks),
  'it-ndjson': async (chunks) => {
    let records = 0;
    for await (const _record of parseItNdjson(chunks)) records++;
    return records;
  },
  '`TextDecoderStream` and `split`': (chunks) => throughWebStreams(chunks),
} satisfies Record<string, Contender>;

type ContenderName = keyof typeof contenders;

/** The contenders of the comparison. */
export type ComparedName = Exclude<ContenderName, typeof oursUnlimited>;
export const comparedNames: readonly ComparedName[] = (Object.keys(contenders) as ContenderName[]).filter(
  (name) => name !== oursUnlimited,
);

/** The contender that a measured process was started for. */
export function contenderOf(name: string | undefined): Contender {
  if (name === undefined || !Object.hasOwn(contenders, name)) throw new TypeError(`There is no contender ${name}`);
  return contenders[name as ContenderName];
}
