import { LambdaClient } from '@aws-sdk/client-lambda';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { BehaviorSubject } from 'rxjs';
import { invokeWithResponseStream } from '../../index.js';
import { UsageError, type TextSource } from '../command-line.js';
import { toUrlEvent } from './http-request.js';
import { parseInvokeArguments, type ClientArguments, type InvokeArguments } from './invoke-arguments.js';
import { writeOut } from './write-out.js';

/** `rx-lambda-stream invoke`: streams a function's response to stdout. Resolves with the exit code. */
export async function invoke(args: readonly string[]): Promise<number> {
  const call = parseInvokeArguments(args);
  const payload = await payloadOf(call);
  const client = createClient(call);
  const paused = new BehaviorSubject(false);
  const invocation = invokeWithResponseStream(
    client,
    {
      FunctionName: call.functionName,
      ...(payload !== undefined && { Payload: payload }),
      ...(call.qualifier !== undefined && { Qualifier: call.qualifier }),
      ...(call.tenantId !== undefined && { TenantId: call.tenantId }),
      ...(call.withLog && { LogType: 'Tail' as const }),
    },
    { pauseWhile: paused, functionErrors: call.mode === 'events' ? 'emit' : 'throw' },
  );
  try {
    return await writeOut(invocation, call, paused);
  } finally {
    client.destroy();
  }
}

async function payloadOf({ payload, request }: InvokeArguments): Promise<Uint8Array | string | undefined> {
  if (request === undefined) return payload === undefined ? undefined : readText('--payload-file', payload);
  const body = request.data === undefined ? undefined : Buffer.from(await readText('--data', request.data));
  return JSON.stringify(toUrlEvent(request, body));
}

async function readText(option: string, source: TextSource): Promise<Uint8Array | string> {
  if ('text' in source) return source.text;
  if (source.file === '-') return buffer(process.stdin);
  try {
    return await readFile(source.file);
  } catch (error) {
    throw new UsageError(`${option} cannot be read: ${(error as Error).message}`);
  }
}

/** Makes a client with the ordinary AWS configuration. A client of a loopback endpoint needs no configuration. */
export function createClient({ endpoint, region, profile }: ClientArguments): LambdaClient {
  // The SDK's notice about Node versions is for developers who choose an SDK. A user of the command cannot act on it.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  // Every version of the SDK reads the variable; a `profile` in the client's configuration is newer.
  if (profile !== undefined) process.env['AWS_PROFILE'] = profile;
  const isLocal = endpoint !== undefined && isLoopback(new URL(endpoint).hostname) && profile === undefined;
  return new LambdaClient({
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined ? { region } : isLocal ? { region: 'us-east-1' } : {}),
    ...(isLocal && { credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }),
  });
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}
