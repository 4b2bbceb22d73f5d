/** The `context` that a handler gets, as the official Node runtime makes it. */
export interface InvocationContext {
  readonly functionName: string;
  /** `$LATEST`, or the version that the qualifier led to. */
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  /** In megabytes, as a string. */
  readonly memoryLimitInMB: string;
  readonly awsRequestId: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  /** The client's `ClientContext`, decoded. */
  readonly clientContext?: unknown;
  readonly tenantId?: string;
  callbackWaitsForEmptyEventLoop: boolean;
  /** Milliseconds until the function's time-out. */
  getRemainingTimeInMillis(): number;
}

/** What a context is made of. */
export interface InvocationContextInit {
  readonly functionName: string;
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  readonly memoryMb: number;
  readonly timeoutMs: number;
  readonly requestId: string;
  readonly clientContext: unknown;
  readonly tenantId: string | undefined;
}

/** Makes the context of an invocation that starts now. */
export function createInvocationContext(init: InvocationContextInit): InvocationContext {
  const deadline = performance.now() + init.timeoutMs;
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  return {
    functionName: init.functionName,
    functionVersion: init.functionVersion,
    invokedFunctionArn: init.invokedFunctionArn,
    memoryLimitInMB: String(init.memoryMb),
    awsRequestId: init.requestId,
    logGroupName: `/aws/lambda/${init.functionName}`,
    logStreamName: `${day}/[${init.functionVersion}]local`,
    ...(init.clientContext !== undefined && { clientContext: init.clientContext }),
    ...(init.tenantId !== undefined && { tenantId: init.tenantId }),
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(deadline - performance.now())),
  };
}
