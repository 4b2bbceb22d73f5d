/** How long a token takes: it carries the moment at which its source brought it, by the clock of the machine. */
const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Makes tokens of a size, from 8 bytes on with the present moment in their first 8. */
export function tokenMaker(tokenBytes: number): () => Uint8Array {
  return () => {
    const token = new Uint8Array(tokenBytes);
    if (tokenBytes >= 8) new DataView(token.buffer).setFloat64(0, nowMs());
    return token;
  };
}

/** Counts tokens and their lags. A chunk may hold several tokens: those that came while the log had not answered. */
export class TokenCount {
  lags: number[] = [];
  bytes = 0;
  tokens = 0;
  readonly #tokenBytes: number;

  constructor(tokenBytes: number) {
    this.#tokenBytes = tokenBytes;
  }

  add(payload: Uint8Array): void {
    this.bytes += payload.length;
    this.tokens += payload.length / this.#tokenBytes;
    if (this.#tokenBytes < 8) return;
    const now = nowMs();
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    for (let at = 0; at + 8 <= payload.length; at += this.#tokenBytes) this.lags.push(now - view.getFloat64(at));
  }

  reset(): void {
    this.lags = [];
    this.bytes = 0;
    this.tokens = 0;
  }
}

/** Calls a source for each token of each stream, evenly over time, until the process ends. */
export function pace(streams: number, perSecond: number, emit: (stream: number) => void): void {
  const startedAt = nowMs();
  let emitted = 0;
  setInterval(() => {
    const due = ((nowMs() - startedAt) / 1000) * perSecond * streams;
    for (; emitted < due; emitted++) emit(emitted % streams);
  }, 1);
}
