/** A process that reads HTTP bodies in one way, and is measured while it does: it is told a reader and a port. */
import { serveRounds } from '../harness/serve-rounds.js';
import { bodyPathOf, type PlainBody } from './body-path.js';
import { httpReaderOf } from './readers.js';

const [, , name, port] = process.argv;
const read = httpReaderOf(name);

/** Reads one body, and tells in how many pieces it arrived. */
serveRounds((body: PlainBody) => async () => {
  let pieces = 0;
  let bytes = 0;
  await read(`http://127.0.0.1:${port}${bodyPathOf(body)}`, (piece) => {
    pieces++;
    bytes += piece.length;
  });
  if (bytes !== body.events * body.payloadBytes) throw new Error(`${bodyPathOf(body)}: ${bytes} bytes arrived`);
  return pieces;
});
