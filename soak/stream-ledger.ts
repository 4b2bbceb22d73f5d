import type { LocalRequest } from 'rx-lambda-stream/local';
import type { Plan } from './plan.js';
import type { EndpointState } from './protocol.js';

/** A promise that somebody else settles. */
class Gate {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

/** One stream at the endpoint, over all its requests. */
class Stream {
  attempts = 0;
  readonly ends: (boolean | undefined)[] = [];
  #gate = new Gate();

  /** Settles with the client's next `go`. */
  get go(): Promise<void> {
    return this.#gate.opened;
  }

  goOn(): void {
    this.#gate.open();
    this.#gate = new Gate();
  }
}

/** What the endpoint knows of its streams. */
export class StreamLedger {
  readonly #streams = new Map<number, Stream>();
  readonly #open = new Map<string, LocalRequest>();
  #arrivals: number[] = [];
  #requests = 0;
  #peakUnfinished = 0;
  #waiting = 0;
  #everybody = new Gate();

  /** A request's arrival. */
  add(request: LocalRequest): void {
    this.#requests++;
    this.#open.set(request.requestId, request);
    this.#peakUnfinished = Math.max(this.#peakUnfinished, this.#open.size);
    void request.closed.then(() => this.#open.delete(request.requestId));
  }

  /** A request that is not over, by the id that its handler knows. */
  arrived(requestId: string): LocalRequest {
    const request = this.#open.get(requestId);
    if (request === undefined) throw new Error(`The request ${requestId} is over before its handler begins`);
    return request;
  }

  /** An invocation of a stream: its function starts. */
  begin(id: number, request: LocalRequest): Stream {
    const stream = this.#streams.get(id) ?? new Stream();
    this.#streams.set(id, stream);
    this.#arrivals.push(id);
    const index = stream.attempts++;
    stream.ends[index] = undefined;
    void request.closedEarly.then((early) => (stream.ends[index] = early));
    return stream;
  }

  /** Settles when as many streams have begun as the plan says. */
  gathered({ together }: Plan): Promise<void> {
    if (together === undefined) return Promise.resolve();
    const gate = this.#everybody;
    if (++this.#waiting === together) {
      this.#waiting = 0;
      this.#everybody = new Gate();
      gate.open();
    }
    return gate.opened;
  }

  goOn(id: number): void {
    this.#streams.get(id)?.goOn();
  }

  /** @param take - Forgets what it has told, but for requests that are not over. */
  state(openConnections: number, take: boolean): EndpointState {
    const state: EndpointState = {
      openConnections,
      requests: this.#requests,
      unfinished: this.#open.size,
      peakUnfinished: this.#peakUnfinished,
      arrivals: this.#arrivals,
      ends: [...this.#streams].map(([id, { ends }]) => [id, ends]),
    };
    if (take) {
      this.#arrivals = [];
      this.#streams.clear();
      this.#peakUnfinished = this.#open.size;
    }
    return state;
  }
}
