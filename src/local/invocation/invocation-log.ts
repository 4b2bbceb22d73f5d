/** What `LogType: Tail` sends: the last 4 KB. */
const tailBytes = 4_096;

/** What one invocation printed, its end only. */
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

  /** The last 4 KB; a character cut in two at their start becomes U+FFFD. */
  get tail(): string {
    return this.#kept.toString();
  }
}
