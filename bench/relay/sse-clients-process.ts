/**
 * Opens many connections of server-sent events, and measures how late each token arrives, on bare sockets: what reads
 * takes the processor from what writes.
 */
import { connect } from 'node:net';
import type { ClientsReport, SseTask } from './measure-relay.js';

const [, , port, text] = process.argv;
const { clients, settleTokens, tokens } = JSON.parse(text!) as SseTask;
const lags: number[] = [];
let open = 0;
let ended = 0;

for (let index = 0; index < clients; index++) {
  const socket = connect(Number(port), '127.0.0.1');
  let arrived = 0;
  let isOpen = false;
  socket.write('GET /stream HTTP/1.1\r\nhost: relay\r\naccept: text/event-stream\r\n\r\n');
  socket.on('data', (bytes: Buffer) => {
    const at = performance.timeOrigin + performance.now();
    const piece = bytes.toString('latin1');
    for (const [, made] of piece.matchAll(/data: "(\d+\.\d+) "/g)) {
      if (arrived++ >= settleTokens) lags.push(at - Number(made));
    }
    if (!isOpen) {
      isOpen = true;
      if (++open === clients) process.send?.({ open: true });
    }
    if (!piece.includes('event: end')) return;
    if (arrived !== settleTokens + tokens) throw new Error(`${arrived} tokens have arrived at a client`);
    socket.destroy();
    if (++ended === clients) report();
  });
}

function report(): void {
  lags.sort((a, b) => a - b);
  const quantile = (part: number): number => lags[Math.floor((lags.length - 1) * part)]!;
  process.send?.({ lags: { p50: quantile(0.5), p99: quantile(0.99) } satisfies ClientsReport });
}

process.on('disconnect', () => process.exit());
