import type { ServerResponse } from 'node:http';
import { localFunctionArn } from './function-name.js';
import type { FunctionRun } from './invoke-function.js';
import type { LocalFunctionConfig, RunnableHandler } from '../runtime/local-function.js';
import type { LocalLambdaOptions } from '../local-lambda-options.js';
import type { RequestRecord } from '../http/local-request.js';
import type { PayloadSink } from './payload-sink.js';
import type { ResponseHead, ResponseWriter } from '../http/response-writer.js';

/** An invocation that was accepted. */
export interface AcceptedInvocation {
  readonly options: LocalLambdaOptions;
  readonly config: LocalFunctionConfig;
  readonly record: RequestRecord;
  readonly version: string;
  readonly event: unknown;
  readonly response: ServerResponse;
  readonly writer: ResponseWriter;
  readonly traceId: string;
  /** Gives the function's place under its reserved concurrency back; more than once does no harm. */
  readonly release: () => void;
  /** Aborted when the endpoint closes. */
  readonly closing: AbortSignal;
}

/** What every answer of a run carries. */
export function commonHead({ version, traceId }: AcceptedInvocation): ResponseHead {
  return { 'x-amz-executed-version': version, 'x-amzn-trace-id': traceId };
}

/** The head of a stream. */
export function streamHead(invocation: AcceptedInvocation, contentType: string): ResponseHead {
  return {
    ...commonHead(invocation),
    'content-type': 'application/vnd.amazon.eventstream',
    'transfer-encoding': 'chunked',
    'x-amzn-remapped-content-type': contentType,
  };
}

/** The run of a handler that the invocation asks for. */
export function functionRun(
  handler: RunnableHandler,
  { config, record, version, event, closing }: AcceptedInvocation,
  sink: PayloadSink,
): FunctionRun {
  return {
    handler,
    config,
    functionName: record.functionName,
    version,
    arn: localFunctionArn(record.functionName, record.qualifier),
    requestId: record.requestId,
    clientContext: record.clientContext,
    tenantId: record.tenantId,
    event,
    sink,
    signal: closing,
  };
}
