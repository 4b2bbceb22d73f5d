/** The first block's size, in bytes. */
const minBlockBytes = 4 * 1024;

/** The largest block, in bytes. A larger piece has a block of its own. */
const maxBlockBytes = 1024 * 1024;

/** Joins pieces of bytes. */
export interface ByteCollector {
  /** The number of bytes held. */
  readonly length: number;
  /** Copies the piece. */
  append(piece: Uint8Array): void;
  /** Returns the bytes as a small number of views. Later appends do not change them. */
  views(): Uint8Array[];
  /** Returns the bytes as one array of its own. */
  toBytes(): Uint8Array;
}

/**
 * Collects bytes in blocks of its own.
 *
 * The bytes are copied, because a chunk is a view into a network read. A million views of 16 bytes would also keep
 * their event objects and the frames around them in memory. Here memory is at most twice the bytes held plus one block,
 * and each byte is copied once.
 */
export function createByteCollector(): ByteCollector {
  const full: Uint8Array[] = [];
  let block = new Uint8Array(0);
  let used = 0;
  let length = 0;

  function put(piece: Uint8Array): void {
    block.set(piece, used);
    used += piece.length;
    length += piece.length;
  }

  return {
    get length() {
      return length;
    },
    append(piece) {
      const room = block.length - used;
      if (piece.length <= room) {
        put(piece);
        return;
      }
      const rest = piece.subarray(room);
      put(piece.subarray(0, room));
      if (used > 0) full.push(block);
      // Blocks double in size, so that their number grows slowly until they have the full size.
      block = new Uint8Array(Math.max(rest.length, Math.min(Math.max(length, minBlockBytes), maxBlockBytes)));
      used = 0;
      put(rest);
    },
    views() {
      return used > 0 ? [...full, block.subarray(0, used)] : [...full];
    },
    toBytes() {
      const bytes = new Uint8Array(length);
      let at = 0;
      for (const view of this.views()) {
        bytes.set(view, at);
        at += view.length;
      }
      return bytes;
    },
  };
}
