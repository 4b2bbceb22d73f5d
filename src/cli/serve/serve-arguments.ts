import { functionRules } from '../../local/runtime/local-function.js';
import { endpointRules } from '../../local/settings.js';
import { timeLimitMs } from '../../shared/check-options.js';
import {
  flagOption,
  httpUrl,
  obey,
  parseCommandLine,
  textOption,
  textsOption,
  UsageError,
  wholeNumber,
} from '../command-line.js';

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

/** The options of `serve`. */
export const serveOptions = {
  port: textOption,
  host: { type: 'string', default: '127.0.0.1' },
  'allow-host': textsOption,
  cors: textsOption,
  'no-urls': flagOption,
  'url-port': textOption,
  'env-file': textsOption,
  timeout: textOption,
  memory: textOption,
  concurrency: textOption,
  tenant: textOption,
  'init-timeout': textOption,
  'no-watch': flagOption,
} as const;

/** The port of `sam local start-lambda`, so that scripts need no change. */
const defaultPort = 3001;
/** AWS's limit for the code outside of the handler. */
const defaultInitTimeoutMs = 10_000;

/** @throws UsageError for what cannot be understood. */
export function parseServeArguments(args: readonly string[]): ServeArguments {
  const { values, positionals } = parseCommandLine(args, serveOptions);
  if (positionals.length === 0) throw new UsageError('serve needs at least one FILE with handlers');
  const { port } = endpointRules;
  const urlPort = wholeNumber('--url-port', values['url-port'], port);
  if (values['no-urls'] && urlPort !== undefined)
    throw new UsageError('--no-urls and --url-port contradict each other');
  return {
    targets: positionals,
    port: wholeNumber('--port', values.port, port) ?? defaultPort,
    host: values.host,
    allowedHosts: obey('--allow-host', values['allow-host'] ?? [], endpointRules.allowedHosts),
    cors: parseOrigins(values.cors ?? []),
    urlPort: values['no-urls'] ? undefined : (urlPort ?? 0),
    envFiles: values['env-file'] ?? [],
    timeoutMs: wholeNumber('--timeout', values.timeout, functionRules.timeoutMs),
    memoryMb: wholeNumber('--memory', values.memory, functionRules.memoryMb),
    concurrency: wholeNumber('--concurrency', values.concurrency, functionRules.reservedConcurrency),
    tenantId: obey('--tenant', values.tenant, functionRules.tenantId),
    initTimeoutMs: wholeNumber('--init-timeout', values['init-timeout'], timeLimitMs) ?? defaultInitTimeoutMs,
    watch: !values['no-watch'],
  };
}

/** Reads origins. `*` is every page. An origin has no path and no slash at its end, because browsers send it so. */
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
