import { timeLimitMs, type OptionRule } from '../../shared/check-options.js';
import { parseCommandLine, UsageError, wholeNumber } from '../command-line.js';

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
const portNumber: OptionRule = { expected: 'a port from 0 to 65535', isValid: (value) => Number(value) <= 65_535 };

/** The options of `serve`. */
export const serveOptions = {
  port: { type: 'string' },
  host: { type: 'string', default: '127.0.0.1' },
  cors: { type: 'boolean', default: false },
  timeout: { type: 'string' },
  'no-watch': { type: 'boolean', default: false },
} as const;

/** @throws UsageError for what cannot be understood. */
export function parseServeArguments(args: readonly string[]): ServeArguments {
  const { values, positionals } = parseCommandLine(args, serveOptions);
  if (positionals.length === 0) throw new UsageError('serve needs at least one FILE with handlers');
  return {
    files: positionals,
    port: wholeNumber('--port', values.port, portNumber) ?? defaultPort,
    host: values.host,
    cors: values.cors,
    timeoutMs: wholeNumber('--timeout', values.timeout, timeLimitMs),
    watch: !values['no-watch'],
  };
}
