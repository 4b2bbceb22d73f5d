import { connect } from 'node:net';

/** Opens so many EventSource connections, and measures how late each token arrives. */
const [, , portText = '0', clientsText = '1000'] = process.argv;
const port = Number(portText);
const clients = Number(clientsText);
const lags: number[] = [];
let open = 0;
let closed = 0;

for (let index = 0; index < clients; index++) {
  const socket = connect(port, '127.0.0.1');
  let isOpen = false;
  let isOver = false;
  socket.write('GET /stream HTTP/1.1\r\nhost: relay\r\naccept: text/event-stream\r\n\r\n');
  socket.on('data', (bytes: Buffer) => {
    const arrived = performance.timeOrigin + performance.now();
    const text = bytes.toString('latin1');
    for (const [, sent] of text.matchAll(/data: "(\d+\.\d+) "/g)) lags.push(arrived - Number(sent));
    if (!isOpen) {
      isOpen = true;
      if (++open === clients) process.send?.('open');
    }
    if (!isOver && text.includes('event: end')) {
      isOver = true;
      socket.destroy();
      if (++closed === clients) finish();
    }
  });
}

function finish(): void {
  lags.sort((a, b) => a - b);
  const quantile = (part: number): number => lags[Math.floor((lags.length - 1) * part)] ?? NaN;
  process.send?.({ tokens: lags.length, p50: quantile(0.5), p99: quantile(0.99) });
}
