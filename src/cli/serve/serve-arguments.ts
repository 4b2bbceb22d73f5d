import { limitFrom, timeLimitMs, type OptionRule } from '../../shared/check-options.js';
import { tenant } from '../../local/runtime/local-function.js';
import { httpUrl, parseCommandLine, UsageError, wholeNumber } from '../command-line.js';

/** What `serve` was asked for. */
export interface ServeArguments {
  /** Each target is a FILE or `NAME=FILE#export`, whose first and last part may be left out. */
  readonly targets: readonly string[];
  readonly port: number;
  readonly host: string;
  readonly allowedHosts: readonly string[];
  readonly cors: boolean | readonly string[];
  /** The first function URL's port; undefined where no URLs are opened. */
  readonly urlPort: number | undefined;
  readonly envFiles: readonly string[];
  readonly timeoutMs: number | undefined;
  readonly memoryMb: number | undefined;
  readonly concurrency: number | undefined;
  readonly tenantId: string | undefined;
  readonly initTimeoutMs: number;
  readonly watch: boolean;
}

const text = { type: 'string' } as const;
const texts = { type: 'string', multiple: true } as const;
const flag = { type: 'boolean', default: false } as const;

/** The options of `serve`. */
export const serveOptions = {
  port: text,
  host: { type: 'string', default: '127.0.0.1' },
  'allow-host': texts,
  cors: texts,
  'no-urls': flag,
  'url-port': text,
  'env-file': texts,
  timeout: text,
  memory: text,
  concurrency: text,
  tenant: text,
  'init-timeout': text,
  'no-watch': flag,
} as const;

/** The port of `sam local start-lambda`, so that scripts need no change. */
const defaultPort = 3001;
/** How long AWS lets the code outside of the handler run. */
const defaultInitTimeoutMs = 10_000;
const portNumber: OptionRule = { expected: 'a port from 0 to 65535', isValid: (value) => Number(value) <= 65_535 };

/** @throws UsageError for what cannot be understood. */
export function parseServeArguments(args: readonly string[]): ServeArguments {
  const { values, positionals } = parseCommandLine(args, serveOptions);
  if (positionals.length === 0) throw new UsageError('serve needs at least one FILE with handlers');
  const urlPort = wholeNumber('--url-port', values['url-port'], portNumber);
  if (values['no-urls'] && urlPort !== undefined)
    throw new UsageError('--no-urls and --url-port contradict each other');
  if (values.tenant !== undefined && !tenant.isValid(values.tenant))
    throw new UsageError(`--tenant must be ${tenant.expected}`);
  return {
    targets: positionals,
    port: wholeNumber('--port', values.port, portNumber) ?? defaultPort,
    host: values.host,
    allowedHosts: values['allow-host'] ?? [],
    cors: parseOrigins(values.cors ?? []),
    urlPort: values['no-urls'] ? undefined : (urlPort ?? 0),
    envFiles: values['env-file'] ?? [],
    timeoutMs: wholeNumber('--timeout', values.timeout, timeLimitMs),
    memoryMb: wholeNumber('--memory', values.memory, limitFrom(1)),
    concurrency: wholeNumber('--concurrency', values.concurrency, limitFrom(0)),
    tenantId: values.tenant,
    initTimeoutMs: wholeNumber('--init-timeout', values['init-timeout'], timeLimitMs) ?? defaultInitTimeoutMs,
    watch: !values['no-watch'],
  };
}

/** Reads origins. `*` is every page. An origin has no path and no trailing slash, because browsers send none. */
function parseOrigins(lists: readonly string[]): boolean | readonly string[] {
  const origins = lists.flatMap((list) => list.split(',')).map((origin) => origin.trim());
  if (origins.includes('*')) return true;
  for (const given of origins) {
    if (given === 'null') continue;
    const { origin } = httpUrl('--cors', given);
    if (origin !== given) throw new UsageError(`--cors needs an origin: ${origin}, not ${given}`);
  }
  return origins.length > 0 && origins;
}
