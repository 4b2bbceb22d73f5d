#!/usr/bin/env node
import { runCli } from './run-cli.js';

/** Resolves when a stream has taken all that was written, or cannot take it any more. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

void runCli(process.argv.slice(2)).then(async (exitCode) => {
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // Timers, pools and sockets of handler files must not keep the process.
  process.exit(exitCode);
});
