import { chunkFrame, completeFrame, concat } from '../support/frames.js';

/** One stream of the benchmark: how large its events are, and how many of them one HTTP chunk carries. */
export interface Shape {
  readonly name: string;
  readonly payloadBytes: number;
  readonly events: number;
  readonly eventsPerWrite: number;
  /** The ratio of events per second to the SDK's own loop that the project has set itself. */
  readonly target: number;
}

export const shapes: readonly Shape[] = [
  { name: '16 B, single', payloadBytes: 16, events: 100_000, eventsPerWrite: 1, target: 4 },
  { name: '16 B, batched', payloadBytes: 16, events: 200_000, eventsPerWrite: 400, target: 10 },
  { name: '1 KiB, batched', payloadBytes: 1024, events: 100_000, eventsPerWrite: 60, target: 4 },
  { name: '16 KiB', payloadBytes: 16 * 1024, events: 12_000, eventsPerWrite: 1, target: 1.3 },
  { name: '64 KiB', payloadBytes: 64 * 1024, events: 4_000, eventsPerWrite: 1, target: 1.1 },
];

/** The HTTP body of a shape, chunked as it travels, in pieces that repeat. */
export function encodeShape({ payloadBytes, events, eventsPerWrite }: Shape): Uint8Array[] {
  // Several payloads, so that no two frames in a row are equal; real tokens are not either.
  const frames = Array.from({ length: 8 }, (_, i) =>
    chunkFrame(Uint8Array.from({ length: payloadBytes }, (_, at) => (at * 31 + i * 17) & 255)),
  );
  const pieces: Uint8Array[] = [];
  for (let sent = 0; sent < events; sent += eventsPerWrite) {
    const count = Math.min(eventsPerWrite, events - sent);
    pieces.push(httpChunk(concat(...Array.from({ length: count }, (_, i) => frames[(sent + i) % 8]!))));
  }
  pieces.push(httpChunk(completeFrame()), new TextEncoder().encode('0\r\n\r\n'));
  return joinSmall(pieces);
}

function httpChunk(bytes: Uint8Array): Uint8Array {
  const line = new TextEncoder().encode(`${bytes.length.toString(16)}\r\n`);
  return concat(line, bytes, new TextEncoder().encode('\r\n'));
}

/** One write a 64 KiB, so that the server has little to do; the HTTP chunks inside stay as they are. */
function joinSmall(pieces: Uint8Array[]): Uint8Array[] {
  const joined: Uint8Array[] = [];
  let group: Uint8Array[] = [];
  let size = 0;
  for (const piece of pieces) {
    group.push(piece);
    size += piece.length;
    if (size >= 64 * 1024) {
      joined.push(concat(...group));
      group = [];
      size = 0;
    }
  }
  joined.push(concat(...group));
  return joined;
}
