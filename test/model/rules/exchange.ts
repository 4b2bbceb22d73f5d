/** A frame on the wire, and what becomes of it. */
export interface ModelFrame {
  /** Its length, in bytes. */
  readonly length: number;
  /** The event that it becomes, in words. */
  readonly event?: string;
  /** How it ends the stream. */
  readonly ending?: string;
}

/** The response to one request, read by read. */
export interface ModelResponse {
  /** All events that what was sent so far becomes, the head first. */
  readonly events: readonly string[];
  /** How the stream ends, once all of that is delivered; undefined where it goes on. */
  readonly ending: string | undefined;
  readonly hasEnded: boolean;
  /** How many events are there at the end of the read that brought this one. */
  eventsOfReadsUpTo(event: number): number;
  /** The next so many bytes, as one read. */
  read(bytes: number): void;
  /** The body ends. */
  end(): void;
}

/** @param frames - What is sent, and perhaps bytes behind it that nobody reads. */
export function modelResponse(head: string, frames: readonly ModelFrame[]): ModelResponse {
  const reads: number[] = [];
  let sent = 0;
  let hasEnded = false;

  /** The frames that so many bytes complete. */
  function complete(bytes: number): ModelFrame[] {
    const whole: ModelFrame[] = [];
    let at = 0;
    for (const frame of frames) {
      at += frame.length;
      if (at > bytes) break;
      whole.push(frame);
      if (frame.ending !== undefined) break;
    }
    return whole;
  }

  const eventsOf = (bytes: number): string[] => [head, ...complete(bytes).flatMap(({ event }) => event ?? [])];

  return {
    get events() {
      return eventsOf(sent);
    },
    get ending() {
      return complete(sent).at(-1)?.ending ?? (hasEnded ? 'truncated' : undefined);
    },
    get hasEnded() {
      return hasEnded;
    },
    eventsOfReadsUpTo(event) {
      const counts = reads.map((bytes) => eventsOf(bytes).length);
      return Math.max(event, counts.find((count) => count >= event) ?? event);
    },
    read(bytes) {
      if (hasEnded) return;
      sent += bytes;
      reads.push(sent);
    },
    end() {
      hasEnded = true;
    },
  };
}
