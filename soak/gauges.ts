import { subscribe } from 'node:diagnostics_channel';
import { getEventListeners } from 'node:events';
import type { Socket } from 'node:net';

/** Everything of this process that a stream could leave behind. Take it after `collectGarbage`. */
export interface Gauges {
  /** JavaScript objects and the buffers that they hold, in bytes. */
  readonly heldBytes: number;
  /** What keeps the event loop alive, by kind: sockets, timers, requests. */
  readonly resources: Readonly<Record<string, number>>;
  readonly sockets: number;
  /** The most listeners of all events on one open socket. */
  readonly socketListeners: number;
  /** AbortSignals made since the last gauging that are still reachable. */
  readonly signals: number;
  /** Listeners on them. */
  readonly signalListeners: number;
}

const sockets = new Set<Socket>();
let signals: WeakRef<AbortSignal>[] = [];

/** Begins to follow the sockets and the AbortSignals of this process; call once, before anything is made. */
export function installGauges(): void {
  // Counts the sockets of Node's http and of its fetch.
  subscribe('net.client.socket', (message) => {
    const { socket } = message as { socket: Socket };
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const Original = globalThis.AbortController;
  globalThis.AbortController = class extends Original {
    constructor() {
      super();
      signals.push(new WeakRef(this.signal));
    }
  };
}

export function readGauges(): Gauges {
  const alive = signals.map((reference) => reference.deref()).filter((signal) => signal !== undefined);
  signals = alive.map((signal) => new WeakRef(signal));
  const { heapUsed, external } = process.memoryUsage();
  return {
    heldBytes: heapUsed + external,
    resources: countResources(),
    sockets: sockets.size,
    socketListeners: Math.max(0, ...[...sockets].map(countListeners)),
    signals: alive.length,
    signalListeners: alive.reduce((sum, signal) => sum + getEventListeners(signal, 'abort').length, 0),
  };
}

function countListeners(socket: Socket): number {
  return socket.eventNames().reduce((sum, name) => sum + socket.listenerCount(name), 0);
}

export function countResources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    // An attempt to connect ends by itself. What it leaves behind, a socket, is counted as one.
    if (kind !== 'ConnectWrap') counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** Counts by kind, in words. */
export function resourcesInWords(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');
}
