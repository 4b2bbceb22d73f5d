import { parseArgs } from 'node:util';
import { outputModes, type OutputMode } from './output-modes.js';
import { UsageError } from '../usage-error.js';

/** What `invoke` was asked for. */
export interface InvokeArguments {
  readonly functionName: string;
  readonly payload: { readonly text: string } | { readonly file: string } | undefined;
  readonly mode: OutputMode;
  readonly isHttp: boolean;
  readonly qualifier: string | undefined;
  readonly withLog: boolean;
  readonly retries: number;
  readonly timeoutMs: number | undefined;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly profile: string | undefined;
}

const flag = { type: 'boolean', default: false } as const;
const text = { type: 'string' } as const;

/** @throws UsageError for what cannot be understood. */
export function parseInvokeArguments(args: readonly string[]): InvokeArguments {
  const { values, positionals } = parse(args);
  const [functionName, stdin, ...rest] = positionals;
  if (!functionName) throw new UsageError('invoke needs the NAME of a function');
  if ((stdin !== undefined && stdin !== '-') || rest.length > 0) {
    throw new UsageError(`invoke takes one NAME; this is too much: ${positionals.slice(1).join(' ')}`);
  }
  const modes = (Object.keys(outputModes) as OutputMode[]).filter((mode) => values[mode]);
  if (modes.length > 1) throw new UsageError(`Only one of ${modes.map((mode) => `--${mode}`).join(', ')} is possible`);
  const timeoutMs = wholeNumber('--timeout', values.timeout);
  if (timeoutMs === 0) throw new UsageError('--timeout needs at least 1 ms');
  const file = stdin ?? values['payload-file'];
  if (values.payload !== undefined && file !== undefined) throw new UsageError('There is more than one payload');
  if (values.payload !== undefined) assertJson(values.payload);
  if (values.endpoint !== undefined && !URL.canParse(values.endpoint)) {
    throw new UsageError(`--endpoint is not a URL: ${values.endpoint}`);
  }
  return {
    functionName,
    payload: values.payload !== undefined ? { text: values.payload } : file !== undefined ? { file } : undefined,
    mode: modes[0] ?? 'raw',
    isHttp: values.http,
    qualifier: values.qualifier,
    withLog: values.log,
    retries: wholeNumber('--retry', values.retry) ?? 0,
    timeoutMs,
    endpoint: values.endpoint,
    region: values.region,
    profile: values.profile,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        payload: text,
        'payload-file': text,
        raw: flag,
        text: flag,
        ndjson: flag,
        sse: flag,
        events: flag,
        http: flag,
        qualifier: text,
        log: flag,
        retry: text,
        timeout: text,
        endpoint: text,
        region: text,
        profile: text,
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** @throws UsageError where an option's value is not a whole number. */
export function wholeNumber(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d{1,9}$/.test(value)) throw new UsageError(`${option} needs a whole number, not ${value}`);
  return Number(value);
}

function assertJson(payload: string): void {
  try {
    JSON.parse(payload);
  } catch (error) {
    throw new UsageError(
      `--payload is not JSON (${(error as Error).message}); mind the shell's quotes: '{"key":"value"}'`,
    );
  }
}
