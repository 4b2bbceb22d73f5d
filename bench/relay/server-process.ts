import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { concat, defer, map, of, switchMap, take, timer } from 'rxjs';
import { createRelay } from 'rx-lambda-stream/relay';
import { chunkEvent, completeEvent, headEvent } from 'rx-lambda-stream/testing';

/**
 * One server of the benchmark: `relay`, or `loop`, which writes the same messages by hand.
 *
 * It starts to write when its parent says `go`, with the time in each token, and reports its own CPU time at the end.
 */
const [, , kind = 'relay', tokensText = '250', everyText = '20'] = process.argv;
const tokens = Number(tokensText);
const everyMs = Number(everyText);
const now = (): string => `${(performance.timeOrigin + performance.now()).toFixed(3)} `;

let go!: () => void;
const started = new Promise<void>((resolve) => (go = resolve));

let cpu = process.cpuUsage();
const begin = (): void => void (cpu = process.cpuUsage());
function finish(): void {
  const { user, system } = process.cpuUsage(cpu);
  process.send?.({ cpuMs: (user + system) / 1_000 });
}

function startRelay(): ReturnType<typeof createServer> {
  const relay = createRelay({
    authorize: () => ({
      key: 'all',
      open: () =>
        concat(
          of(headEvent()),
          defer(() => started).pipe(
            switchMap(() => timer(0, everyMs)),
            take(tokens),
            map(() => chunkEvent(now())),
          ),
          of(completeEvent()),
        ),
    }),
  });
  return createServer(relay.listener);
}

function startLoop(): ReturnType<typeof createServer> {
  const clients = new Set<ServerResponse>();
  void started.then(() => {
    let index = 0;
    let bytes = 0;
    const interval = setInterval(() => {
      const text = now();
      bytes += text.length;
      const message =
        index++ < tokens ? `id: 1-${bytes}\ndata: ${JSON.stringify(text)}\n\n` : 'event: end\ndata: {}\n\n';
      for (const client of clients) client.write(message);
      if (index <= tokens) return;
      clearInterval(interval);
      for (const client of clients) client.end();
    }, everyMs);
  });
  return createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    clients.add(response);
    response.on('close', () => clients.delete(response));
  });
}

const server = kind === 'relay' ? startRelay() : startLoop();
server.listen(0, '127.0.0.1', 4_096, () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', (message) => {
  if (message === 'go') {
    begin();
    go();
  } else if (message === 'report') finish();
});
