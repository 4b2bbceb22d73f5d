import { parseArgs } from 'node:util';
import { wholeNumber } from '../invoke/invoke-arguments.js';
import { UsageError } from '../usage-error.js';

/** What `serve` was asked for. */
export interface ServeArguments {
  readonly files: readonly string[];
  readonly port: number;
  readonly host: string;
  readonly cors: boolean;
  readonly timeoutMs: number | undefined;
  readonly watch: boolean;
}

/** That of `sam local start-lambda`, so that scripts need no change. */
const defaultPort = 3001;

/** @throws UsageError for what cannot be understood. */
export function parseServeArguments(args: readonly string[]): ServeArguments {
  const { values, positionals } = parse(args);
  if (positionals.length === 0) throw new UsageError('serve needs at least one FILE with handlers');
  const port = wholeNumber('--port', values.port) ?? defaultPort;
  if (port > 65_535) throw new UsageError(`--port is at most 65535, not ${port}`);
  return {
    files: positionals,
    port,
    host: values.host,
    cors: values.cors,
    timeoutMs: wholeNumber('--timeout', values.timeout),
    watch: !values['no-watch'],
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        port: { type: 'string' },
        host: { type: 'string', default: '127.0.0.1' },
        cors: { type: 'boolean', default: false },
        timeout: { type: 'string' },
        'no-watch': { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
