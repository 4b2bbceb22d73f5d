import { handleRequest, type Endpoint } from '../http/handle-request.js';
import { listen, type Listener } from '../http/listener.js';
import { urlDoor } from './answer-url-request.js';

/** The function URLs of an endpoint. Each function has a port of its own. */
export class FunctionUrls {
  /** The URLs by function name. The object has no prototype, because a function may have the name of a member. */
  readonly urls = Object.create(null) as Record<string, string>;
  readonly #endpoint: Endpoint;
  readonly #listeners: Listener[] = [];
  #opening: Promise<void> = Promise.resolve();

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  get openConnections(): number {
    return this.#listeners.reduce((sum, { openConnections }) => sum + openConnections, 0);
  }

  /** Opens a URL for each function without a URL. Rejects where a port cannot be opened. */
  open(): Promise<void> {
    const opening = this.#opening.then(() => this.#openMissing());
    // A function whose port failed does not stop the others.
    this.#opening = opening.catch(() => undefined);
    return opening;
  }

  stopAccepting(): void {
    for (const listener of this.#listeners) listener.stopAccepting();
  }

  async close(): Promise<void> {
    await this.#opening;
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }

  async #openMissing(): Promise<void> {
    const { settings, closing } = this.#endpoint;
    const { functionUrls } = settings;
    if (functionUrls === false) return;
    const firstPort = (functionUrls === true ? undefined : functionUrls.port) ?? 0;
    for (const functionName of Object.keys(settings.functions)) {
      if (closing.aborted) return;
      if (functionName in this.urls) continue;
      const door = urlDoor(functionName);
      const listener = await listen({
        host: settings.host,
        port: firstPort === 0 ? 0 : firstPort + this.#listeners.length,
        requestTimeoutMs: settings.requestTimeoutMs,
        handle: (request, response) => handleRequest(this.#endpoint, door, request, response),
      });
      this.#listeners.push(listener);
      this.urls[functionName] = `${listener.origin}/`;
    }
  }
}
