import { formatBytes } from '../terminal.js';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** The delay before the progress appears, so that short streams do not show it. */
const patienceMs = 500;
const intervalMs = 100;

/** A spinner with a byte counter on a terminal. */
export interface Progress {
  add(bytes: number): void;
  /** Hides the progress, so that a line of text can be written. It comes back at its next update. */
  clear(): void;
  /** Removes the progress for good. */
  stop(): void;
}

/** Shows a stream's progress on stderr, if that is a terminal and the stream itself is written elsewhere. */
export function startProgress(stderr: NodeJS.WriteStream, stdoutIsTerminal: boolean): Progress {
  if (!stderr.isTTY || stdoutIsTerminal) return { add: () => undefined, clear: () => undefined, stop: () => undefined };
  const startedAt = performance.now();
  let bytes = 0;
  let turn = 0;
  let isShown = false;
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - startedAt;
    if (elapsedMs < patienceMs) return;
    const frame = frames[turn++ % frames.length] ?? '';
    stderr.write(`\r\u001b[K${frame} ${formatBytes(bytes)} in ${(elapsedMs / 1_000).toFixed(1)} s`);
    isShown = true;
  }, intervalMs);
  const clear = (): void => {
    if (isShown) stderr.write('\r\u001b[K');
    isShown = false;
  };
  return {
    add: (more) => (bytes += more),
    clear,
    stop: () => {
      clearInterval(timer);
      clear();
    },
  };
}
