import type { HandlerCallback } from '../runtime/local-function.js';
import type { Invocation } from './invocation.js';

/** The `context` that a handler gets, as the official Node runtime makes it. */
export interface InvocationContext {
  readonly functionName: string;
  /** `$LATEST`, or the version that the qualifier leads to. */
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  /** In megabytes, as a string. */
  readonly memoryLimitInMB: string;
  readonly awsRequestId: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  /** The client's `ClientContext`, decoded. Its type is `any`, so that a handler may declare its own type. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- `unknown` is not assignable to a handler's own type
  readonly clientContext?: any;
  readonly tenantId?: string;
  callbackWaitsForEmptyEventLoop: boolean;
  /** Returns the milliseconds until the function's time-out. Without a time-out it is `Infinity`. */
  getRemainingTimeInMillis(): number;
  /** Ends the invocation of a plain handler in Lambda's old way. Prefer a promise. */
  done(error?: unknown, result?: unknown): void;
  /** Fails the invocation of a plain handler in Lambda's old way. Prefer to throw. */
  fail(error: unknown): void;
  /** Ends the invocation of a plain handler with a result in Lambda's old way. Prefer to return it. */
  succeed(result: unknown): void;
}

/** AWS's longest time-out. A function of the local endpoint has it by default. */
const defaultTimeoutMs = 900_000;
const defaultMemoryMb = 128;

/** Returns the limits of an invocation, or their defaults. */
export function limitsOf({ config }: Invocation): { readonly timeoutMs: number; readonly memoryMb: number } {
  return { timeoutMs: config.timeoutMs ?? defaultTimeoutMs, memoryMb: config.memoryMb ?? defaultMemoryMb };
}

/**
 * Makes the context of an invocation that starts now.
 *
 * @param callback - Called by the context's old ways to end an invocation.
 */
export function createInvocationContext(invocation: Invocation, callback: HandlerCallback): InvocationContext {
  const { record, version, arn, config } = invocation;
  const tenantId = record.tenantId ?? config.tenantId;
  const { timeoutMs, memoryMb } = limitsOf(invocation);
  const { logGroupName, logStreamName } = logNamesOf(invocation);
  const deadline = performance.now() + timeoutMs;
  return {
    functionName: record.functionName,
    functionVersion: version,
    invokedFunctionArn: arn,
    memoryLimitInMB: String(memoryMb),
    awsRequestId: record.requestId,
    logGroupName,
    logStreamName,
    ...(record.clientContext !== undefined && { clientContext: record.clientContext }),
    ...(tenantId !== undefined && { tenantId }),
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(deadline - performance.now())),
    ...oldEnds(callback),
  };
}

function oldEnds(callback: HandlerCallback): Pick<InvocationContext, 'done' | 'fail' | 'succeed'> {
  const fail = (error: unknown): void => callback(error ?? new Error('The handler called context.fail()'));
  return { done: callback, fail, succeed: (result) => callback(null, result) };
}

/** Returns the variables that Lambda sets for a function. The function's own variables replace them. */
export function environmentOf(invocation: Invocation): Record<string, string> {
  const { record, version, traceId, config } = invocation;
  const { logGroupName, logStreamName } = logNamesOf(invocation);
  const region = process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
  return {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: process.env['AWS_DEFAULT_REGION'] ?? region,
    AWS_LAMBDA_FUNCTION_NAME: record.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(limitsOf(invocation).memoryMb),
    AWS_LAMBDA_LOG_GROUP_NAME: logGroupName,
    AWS_LAMBDA_LOG_STREAM_NAME: logStreamName,
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    LAMBDA_TASK_ROOT: process.cwd(),
    _HANDLER: `${record.functionName}.handler`,
    _X_AMZN_TRACE_ID: traceId,
    ...config.environment,
  };
}

function logNamesOf({ record, version }: Invocation): { logGroupName: string; logStreamName: string } {
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  return { logGroupName: `/aws/lambda/${record.functionName}`, logStreamName: `${day}/[${version}]local` };
}
