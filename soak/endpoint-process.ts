import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { collectGarbage } from '../test/support/collect-garbage.js';

/** The messages of the measured process. The answers to `ask` come in order. */
export type ToEndpoint = { readonly go: number } | { readonly ask: 'keep' | 'forget' };

export type FromEndpoint =
  | { readonly address: EndpointAddress }
  | { readonly moment: 'arrived' | 'written'; readonly id: number }
  | { readonly state: EndpointState };

export interface EndpointAddress {
  /** For `new LambdaClient`. */
  readonly clientConfig: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  readonly functionUrls: Readonly<Record<string, string>>;
}

export interface EndpointState {
  readonly openConnections: number;
  /** Responses that are not over. */
  readonly unfinished: number;
  /** The most of them that there were at a time. */
  readonly peakUnfinished: number;
  /** The streams of all requests since the last `forget`, in the order in which the requests arrived. */
  readonly arrivals: readonly number[];
  /**
   * By stream, for each of its requests in the order of arrival: whether the client closed the connection before the
   * response's end, null where the response is not over. Since the last `forget`.
   */
  readonly ends: readonly (readonly [id: number, closedEarly: readonly (boolean | null)[]])[];
}

/** How long a state of the endpoint may take to come about before that is a failure, in milliseconds. */
const patienceMs = 30_000;

/** The endpoint in its own process, from the measured one's side. */
export class EndpointProcess {
  /** The listeners to a stream's moments, by the stream's id. */
  readonly listeners = new Map<number, (moment: 'arrived' | 'written') => void>();
  readonly #child: ChildProcess;
  readonly #asking: ((state: EndpointState) => void)[] = [];

  static async start(): Promise<EndpointProcess> {
    const child = fork(fileURLToPath(new URL('./endpoint.ts', import.meta.url)));
    child.once('exit', endedEarly);
    const [message] = (await once(child, 'message')) as [FromEndpoint];
    if (!('address' in message)) throw new Error('The endpoint says something before its address');
    return new EndpointProcess(child, message.address);
  }

  private constructor(
    child: ChildProcess,
    readonly address: EndpointAddress,
  ) {
    this.#child = child;
    child.on('message', (message: FromEndpoint) => {
      if ('moment' in message) this.listeners.get(message.id)?.(message.moment);
      else if ('state' in message) this.#asking.shift()?.(message.state);
    });
  }

  /** Tells a stream's function to go on where it waits. */
  go(id: number): void {
    this.#send({ go: id });
  }

  /** @param ask - `forget` also has the endpoint forget the streams of which it tells. */
  state(ask: 'keep' | 'forget' = 'keep'): Promise<EndpointState> {
    this.#send({ ask });
    return new Promise((resolve) => this.#asking.push(resolve));
  }

  /**
   * Asks until the state is as wanted, and collects garbage between the questions: what was left may be found by the
   * collector alone.
   *
   * @returns The last state, wanted or not, when the time is up.
   */
  async until(wanted: (state: EndpointState) => boolean): Promise<EndpointState> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const state = await this.state();
      if (wanted(state) || Date.now() > deadline) return state;
      await collectGarbage();
    }
  }

  async stop(): Promise<void> {
    this.#child.off('exit', endedEarly);
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }

  #send(message: ToEndpoint): void {
    this.#child.send(message);
  }
}

/** Uncaught: nothing measured without an endpoint means anything. */
function endedEarly(code: number | null): never {
  throw new Error(`The endpoint ended with ${String(code)} in the middle of the run`);
}
