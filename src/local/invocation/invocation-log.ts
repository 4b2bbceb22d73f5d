/** How much of the log `LogType: Tail` sends, in bytes. */
const tailBytes = 4_096;

/** The end of what one invocation printed. */
export class InvocationLog {
  readonly requestId: string;
  #kept = Buffer.alloc(0);

  constructor(requestId: string) {
    this.requestId = requestId;
  }

  append(text: string): void {
    this.#kept = Buffer.concat([this.#kept, Buffer.from(text)]).subarray(-tailBytes);
  }

  /** Appends a line as the official runtime's console writes it. */
  appendRecord(level: string, text: string): void {
    this.append(`${new Date().toISOString()}\t${this.requestId}\t${level}\t${text}\n`);
  }

  /** The last 4 KB. A character that is cut at their start becomes U+FFFD. */
  get tail(): string {
    return this.#kept.toString();
  }
}
