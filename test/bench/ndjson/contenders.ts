import { parse as parseItNdjson } from 'it-ndjson';
import ndjson from 'ndjson';
import { from } from 'rxjs';
import split2 from 'split2';
import type { Duplex } from 'node:stream';
import { parseNdjson } from '../../../src/operators/parse-ndjson.js';

/** Reads chunks to their end and returns the number of records. */
export type Contender = (chunks: readonly Uint8Array[], lines: readonly string[]) => Promise<number>;

/** Chunks are written straight into the splitter: no other stream's cost is laid at its door. */
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

/** What the web platform offers without a library. */
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

export const contenders: Readonly<Record<string, Contender>> = {
  'JSON.parse of ready lines (the limit)': (_chunks, lines) => {
    let records = 0;
    for (const line of lines) {
      JSON.parse(line);
      records++;
    }
    return Promise.resolve(records);
  },
  parseNdjson: (chunks) =>
    new Promise((resolve, reject) => {
      let records = 0;
      from(chunks)
        .pipe(parseNdjson())
        .subscribe({ next: () => records++, error: reject, complete: () => resolve(records) });
    }),
  'split2 + JSON.parse': (chunks) => throughDuplex(split2(JSON.parse), chunks),
  ndjson: (chunks) => throughDuplex(ndjson.parse(), chunks),
  'it-ndjson': async (chunks) => {
    let records = 0;
    for await (const _record of parseItNdjson(chunks)) records++;
    return records;
  },
  'TextDecoderStream + split': (chunks) => throughWebStreams(chunks),
};
