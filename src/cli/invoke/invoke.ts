import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { BehaviorSubject } from 'rxjs';
import { invokeWithResponseStream } from '../../index.js';
import { UsageError, type TextSource } from '../command-line.js';
import { createClient } from './create-client.js';
import { toUrlEvent } from './http-request.js';
import { parseInvokeArguments, type InvokeArguments } from './invoke-arguments.js';
import { writeOut } from './write-out.js';

/** `rx-lambda-stream invoke`: streams a function's response to stdout. Resolves with the exit code. */
export async function invoke(args: readonly string[]): Promise<number> {
  const call = parseInvokeArguments(args);
  const payload = await readPayload(call);
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

async function readPayload({ payload, request }: InvokeArguments): Promise<Uint8Array | string | undefined> {
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
