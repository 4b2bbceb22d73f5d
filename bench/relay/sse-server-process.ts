/**
 * One server of the benchmark: `relay`, or `loop`, which writes the same messages by hand. A process serves one round.
 *
 * It writes a token every `everyMs` once its parent says `go`: first those in which the engine compiles, then those
 * that are measured. Each token is the time at which it was made.
 */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { concat, Observable, of } from 'rxjs';
import type { LambdaStreamEvent } from 'rx-lambda-stream';
import { createRelay } from 'rx-lambda-stream/relay';
import { chunkEvent, completeEvent, headEvent } from 'rx-lambda-stream/testing';
import { startClock } from '../harness/cost.js';
import { collectGarbage } from '../harness/serve-rounds.js';
import type { ServerReport, SseTask } from './measure-relay.js';

const [, , kind, text] = process.argv;
const { clients, everyMs, settleTokens, tokens } = JSON.parse(text!) as SseTask;

const now = (): string => `${(performance.timeOrigin + performance.now()).toFixed(3)} `;

/** Calls `write` for each token, and `end` after the last. Both contenders are paced by it. */
function pace(write: (token: string) => void, end: () => void): void {
  let index = 0;
  let cost = startClock();
  const ticks = setInterval(() => {
    if (index === settleTokens) cost = startClock();
    if (index < settleTokens + tokens) {
      index++;
      write(now());
      return;
    }
    clearInterval(ticks);
    const { cpuMs } = cost();
    process.send?.({ report: { cpuMs, bytesPerClient: (liveBytes() - before) / clients } satisfies ServerReport });
    end();
  }, everyMs);
}

const started = new Promise<void>((resolve) => process.on('message', () => resolve()));

function startRelay(): Server {
  const tokensOf = new Observable<LambdaStreamEvent>((subscriber) => {
    void started.then(() =>
      pace(
        (token) => subscriber.next(chunkEvent(token)),
        () => subscriber.complete(),
      ),
    );
  });
  const relay = createRelay({
    authorize: () => ({ key: 'all', open: () => concat(of(headEvent()), tokensOf, of(completeEvent())) }),
  });
  return createServer(relay.listener);
}

function startLoop(): Server {
  const responses = new Set<ServerResponse>();
  let bytes = 0;
  void started.then(() =>
    pace(
      (token) => {
        bytes += token.length;
        const message = `id: 1733000000000-${bytes}\ndata: ${JSON.stringify(token)}\n\n`;
        for (const response of responses) response.write(message);
      },
      () => {
        for (const response of responses) response.end('event: end\ndata: {}\n\n');
      },
    ),
  );
  return createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    responses.add(response);
    response.on('close', () => responses.delete(response));
  });
}

function liveBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const server = kind === 'relay' ? startRelay() : startLoop();
const before = liveBytes();
server.listen(0, '127.0.0.1', 4_096, () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit());
