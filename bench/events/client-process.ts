/**
 * A process that reads streams in one way, and is measured while it does: its arguments are the reader, the port, and
 * how much of its heap is in use besides, in MiB.
 */
import { fillHeap } from '../harness/fill-heap.js';
import { makeClient } from '../harness/make-client.js';
import { serveRounds } from '../harness/serve-rounds.js';
import { readerOf } from './readers.js';
import { functionOf, type Shape } from './shapes.js';

/** Reads some streams of a shape, one after the other. */
export interface StreamsTask {
  readonly shape: Shape;
  readonly streams: number;
}

const [, , name, port, heapMiB] = process.argv;
const read = readerOf(name);
const client = makeClient(Number(port));
fillHeap(Number(heapMiB));

serveRounds(({ shape, streams }: StreamsTask) => async () => {
  let events = 0;
  let bytes = 0;
  const onPayload = (payload: Uint8Array): void => {
    events++;
    bytes += payload.length;
  };
  for (let i = 0; i < streams; i++) await read(client, functionOf(shape), onPayload);
  if (events !== streams * shape.events || bytes !== events * shape.payloadBytes) {
    throw new Error(`${functionOf(shape)}: ${events} events with ${bytes} bytes arrived`);
  }
});
