import { limitFrom, timeLimitMs } from '../../shared/check-options.js';
import {
  flagOption,
  httpUrl,
  parseCommandLine,
  textOption,
  textsOption,
  UsageError,
  wholeNumber,
  type TextSource,
} from '../command-line.js';
import { parseRequest, type HttpRequestArguments } from './http-request.js';
import { outputModes, type OutputMode } from './output-modes.js';

/** What `invoke` was asked for. */
export interface InvokeArguments {
  readonly functionName: string;
  readonly payload: TextSource | undefined;
  /** The HTTP request whose payload-2.0 event is the payload. */
  readonly request: HttpRequestArguments | undefined;
  readonly mode: OutputMode;
  readonly isHttp: boolean;
  /** Writes the HTTP response's head to stdout, before its body. */
  readonly withHead: boolean;
  readonly failOnStatus: boolean;
  readonly qualifier: string | undefined;
  readonly tenantId: string | undefined;
  readonly withLog: boolean;
  /** Writes a report to stderr at the end. */
  readonly withStats: boolean;
  readonly retries: number;
  /** Infinity for no limit. */
  readonly timeoutMs: number;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly profile: string | undefined;
}

/** Where the command calls. */
export type ClientArguments = Pick<InvokeArguments, 'endpoint' | 'region' | 'profile'>;

/** The options of `invoke`. */
export const invokeOptions = {
  payload: textOption,
  'payload-file': textOption,
  request: textOption,
  data: textOption,
  header: textsOption,
  raw: flagOption,
  text: flagOption,
  ndjson: flagOption,
  sse: flagOption,
  events: flagOption,
  http: flagOption,
  include: flagOption,
  fail: flagOption,
  qualifier: textOption,
  tenant: textOption,
  log: flagOption,
  stats: flagOption,
  retry: textOption,
  timeout: textOption,
  endpoint: textOption,
  region: textOption,
  profile: textOption,
} as const;

/** @throws UsageError for what cannot be understood. */
export function parseInvokeArguments(args: readonly string[]): InvokeArguments {
  const { values, positionals } = parseCommandLine(args, invokeOptions);
  const [functionName, stdin, ...rest] = positionals;
  if (!functionName) throw new UsageError('invoke needs the NAME of a function');
  if ((stdin !== undefined && stdin !== '-') || rest.length > 0) {
    throw new UsageError(`invoke takes one NAME; this is too much: ${positionals.slice(1).join(' ')}`);
  }
  const modes = (Object.keys(outputModes) as OutputMode[]).filter((mode) => values[mode]);
  if (modes.length > 1) throw new UsageError(`Only one of ${modes.map((mode) => `--${mode}`).join(', ')} is possible`);
  const payload = payloadSource(values.payload, stdin ?? values['payload-file']);
  const request = parseRequest(values.request, values.data, values.header ?? []);
  if (request !== undefined && payload !== undefined) {
    throw new UsageError('--request makes the payload itself: give the body with --data');
  }
  if (values.endpoint !== undefined) httpUrl('--endpoint', values.endpoint);
  return {
    functionName,
    payload,
    request,
    mode: modes[0] ?? 'raw',
    isHttp: values.http || request !== undefined || values.include || values.fail,
    withHead: values.include,
    failOnStatus: values.fail,
    qualifier: values.qualifier,
    tenantId: values.tenant,
    withLog: values.log,
    withStats: values.stats,
    retries: wholeNumber('--retry', values.retry, limitFrom(0)) ?? 0,
    timeoutMs: wholeNumber('--timeout', values.timeout, timeLimitMs) ?? Infinity,
    endpoint: values.endpoint,
    region: values.region,
    profile: values.profile,
  };
}

function payloadSource(payload: string | undefined, file: string | undefined): TextSource | undefined {
  if (payload === undefined) return file === undefined ? undefined : { file };
  if (file !== undefined) throw new UsageError('There is more than one payload');
  assertJson(payload);
  return { text: payload };
}

function assertJson(payload: string): void {
  try {
    JSON.parse(payload);
  } catch (error) {
    // The ways in which the AWS CLI and curl name a file.
    const file = /^(?:fileb?:\/\/|@)(.+)$/.exec(payload)?.[1];
    if (file !== undefined) throw new UsageError(`--payload takes JSON. For a file: --payload-file ${file}`);
    throw new UsageError(
      `--payload is not JSON (${(error as Error).message}); mind the shell's quotes: '{"key":"value"}'`,
    );
  }
}
