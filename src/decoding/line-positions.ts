/** Where a line begins. */
export interface LinePosition {
  /** The line's number, 1-based. */
  readonly line: number;
  /** The offset of the line's first byte in the payload, 0-based. */
  readonly offset: number;
}

const lineFeed = 10;

/** Tells where lines begin in the payload. */
export interface LinePositions {
  /** Returns the place of the line that is being handed out, or of the unfinished line. */
  readonly current: () => LinePosition;
  readonly moveTo: (position: LinePosition) => void;
  /** Moves past one line that was handed out, with its length in bytes. */
  readonly pass: (bytes: number) => void;
  /** Begins to hand out these bytes line by line. */
  readonly beginBurst: (bytes: Uint8Array) => void;
  /** Moves past one line of the burst. */
  readonly passInBurst: () => void;
  readonly endBurst: () => void;
}

/**
 * Counts lines and bytes.
 *
 * Within a burst only the lines are counted. Where one begins is computed when somebody asks, by a second search for
 * the line feeds, because most lines are never asked about.
 */
export function createLinePositions(): LinePositions {
  // `line` and `offset` are the place of the line that begins at `located` in `burst`. After it, `passed` lines were
  // handed out.
  let line = 1;
  let offset = 0;
  let burst: Uint8Array | undefined;
  let burstEnd = 0;
  let located = 0;
  let passed = 0;

  return {
    current() {
      // A burst whose buffer a consumer has transferred is empty. Then the last known place is returned.
      for (; burst?.length && passed > 0; passed--) {
        const next = burst.indexOf(lineFeed, located) + 1;
        offset += next - located;
        located = next;
        line++;
      }
      return { line, offset };
    },
    moveTo: (position) => ({ line, offset } = position),
    pass(bytes) {
      offset += bytes;
      line++;
    },
    beginBurst(bytes) {
      burst = bytes;
      burstEnd = offset + bytes.length;
      located = 0;
    },
    passInBurst: () => passed++,
    endBurst() {
      burst = undefined;
      offset = burstEnd;
      line += passed;
      passed = 0;
    },
  };
}
