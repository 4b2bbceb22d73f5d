import { formatBytes } from '../format-bytes.js';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Short streams never see it. */
const patienceMs = 500;
const intervalMs = 100;

/** A spinner with a byte counter on a terminal. */
export interface Progress {
  add(bytes: number): void;
  /** Removes it from the terminal. */
  stop(): void;
}

/** Shows how a stream goes on: on stderr, where that is a terminal and the stream itself goes elsewhere. */
export function startProgress(stderr: NodeJS.WriteStream, stdoutIsTerminal: boolean): Progress {
  if (!stderr.isTTY || stdoutIsTerminal) return { add: () => undefined, stop: () => undefined };
  const startedAt = performance.now();
  let bytes = 0;
  let turn = 0;
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - startedAt;
    if (elapsedMs < patienceMs) return;
    const frame = frames[turn++ % frames.length] ?? '';
    stderr.write(`\r\u001b[K${frame} ${formatBytes(bytes)} in ${(elapsedMs / 1_000).toFixed(1)} s`);
  }, intervalMs);
  return {
    add: (more) => (bytes += more),
    stop: () => {
      clearInterval(timer);
      if (turn > 0) stderr.write('\r\u001b[K');
    },
  };
}
