#!/usr/bin/env node
import { runCli } from './run-cli.js';

/** Resolves when a stream has taken everything that was written, or has failed. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

void runCli(process.argv.slice(2)).then(async (exitCode) => {
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // Without `exit`, timers, pools and sockets of handler files would keep the process alive.
  process.exit(exitCode);
});
