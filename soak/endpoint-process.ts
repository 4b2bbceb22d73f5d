import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { EndpointState, FromEndpoint, LocalConfig, ToEndpoint } from './protocol.js';

/** The endpoint in its own process, from the measured one's side. */
export class EndpointProcess {
  readonly config: LocalConfig;
  /** Who wants to know of a stream's moments, by its id. */
  readonly listeners = new Map<number, (moment: 'arrived' | 'written') => void>();
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, (state: EndpointState) => void>();
  #asked = 0;

  static async start(): Promise<EndpointProcess> {
    const child = fork(fileURLToPath(new URL('./endpoint.ts', import.meta.url)));
    const config = await new Promise<LocalConfig>((resolve, reject) => {
      child.once('message', (message: FromEndpoint) => {
        if ('config' in message) resolve(message.config);
      });
      child.once('exit', (code) => reject(new Error(`The endpoint ended with ${String(code)} before it began`)));
    });
    child.removeAllListeners('exit').once('exit', endedEarly);
    return new EndpointProcess(child, config);
  }

  private constructor(child: ChildProcess, config: LocalConfig) {
    this.#child = child;
    this.config = config;
    child.on('message', (message: FromEndpoint) => {
      if ('moment' in message) {
        this.listeners.get(message.id)?.(message.moment);
      } else if ('answer' in message) {
        this.#answers.get(message.answer)?.(message.state);
        this.#answers.delete(message.answer);
      }
    });
  }

  /** Tells a stream's function to go on where it waits. */
  go(id: number): void {
    this.#send({ go: id });
  }

  /** @param takeEnds - Has the endpoint forget what it tells. */
  state(takeEnds = false): Promise<EndpointState> {
    const ask = this.#asked++;
    return new Promise((resolve) => {
      this.#answers.set(ask, resolve);
      this.#send({ ask, takeEnds });
    });
  }

  /** Asks until the state is as wanted. @returns The last state, wanted or not, when the time is up. */
  async until(wanted: (state: EndpointState) => boolean, between: () => Promise<void>): Promise<EndpointState> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const state = await this.state();
      if (wanted(state) || Date.now() > deadline) return state;
      await between();
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

/** How long a state of the endpoint may take to come about before that is a failure, in milliseconds. */
const patienceMs = 30_000;

/** Uncaught: nothing measured without an endpoint means anything. */
function endedEarly(code: number | null): never {
  throw new Error(`The endpoint ended with ${String(code)} in the middle of the run`);
}
