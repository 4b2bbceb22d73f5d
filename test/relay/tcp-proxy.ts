import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A TCP proxy that a test can cut. */
export interface TcpProxy {
  readonly url: string;
  readonly port: number;
  /** Connections so far. */
  readonly connections: number;
  /** Cuts all connections that are open. */
  cut(): void;
  /** Cuts all connections, and refuses new ones until `restore`. */
  down(): void;
  restore(): void;
  /** Cuts all connections. New ones go to this port. */
  moveTo(port: number): void;
}

/** Starts a proxy to these ports of this machine, in turn; it is gone when the test is. */
export async function startTcpProxy(...ports: number[]): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let isDown = false;
  const server = createServer((client) => {
    if (isDown) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(ports[connections++ % ports.length] ?? 0, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  function cut(): void {
    for (const socket of sockets) socket.resetAndDestroy();
  }
  onTestFinished(() => {
    cut();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    get connections() {
      return connections;
    },
    cut,
    down() {
      isDown = true;
      cut();
    },
    restore() {
      isDown = false;
    },
    moveTo(port) {
      ports = [port];
      cut();
    },
  };
}
