import type { IncomingHttpHeaders } from 'node:http';

/**
 * One invocation request that the endpoint received, and what became of its response. Preflights, refused pages and
 * requests to other paths are not recorded.
 */
export interface LocalRequest {
  /** The function's bare name, even if the client sent an ARN. */
  readonly functionName: string;
  /** The alias or version that the query or the ARN names. */
  readonly qualifier?: string;
  /** The API's operation, or `FunctionUrl` for a request to the function's URL. */
  readonly operation: 'InvokeWithResponseStream' | 'Invoke' | 'FunctionUrl';
  /** The HTTP method. */
  readonly method: string;
  /** The request's path as it was sent, without the query. */
  readonly path: string;
  /** `X-Amz-Invocation-Type`. Without that header it is `RequestResponse`. */
  readonly invocationType: string;
  /** `X-Amz-Log-Type`. Without that header it is `None`. */
  readonly logType: string;
  readonly tenantId?: string;
  /** `X-Amz-Client-Context`, decoded from its base64 JSON. */
  readonly clientContext?: unknown;
  /** The headers of the HTTP request. Their names are in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** The request's body. It is empty until all of it has arrived, which is before the function starts. */
  readonly payload: Uint8Array;
  /** The response's `x-amzn-requestid`, and the handler's `context.awsRequestId`. */
  readonly requestId: string;
  /** The number of this request among those for the function, from 1 on. It is always 1 for an unknown function. */
  readonly attempt: number;
  /** The response's status. Absent until its headers are sent. */
  readonly statusCode?: number;
  /**
   * The status of the HTTP response that the function itself wrote, in a prelude or in a result with a `statusCode`. In
   * Lambda's API it travels inside a response with status 200.
   */
  readonly responseStatus?: number;
  /** From the arrival of the request's headers to the response's first byte, in milliseconds. */
  readonly firstByteMs?: number;
  /** Bytes of the response's body that were given to the connection so far. */
  readonly bytesWritten: number;
  /** Bytes of the function's own payload that were sent so far, without the frames around them. */
  readonly payloadBytes: number;
  /** Resolves when the response is sent to its end, or its connection is closed. Never rejects. */
  readonly closed: Promise<void>;
  /** Resolves together with `closed`. It is true when the client went away before the response was sent to its end. */
  readonly closedEarly: Promise<boolean>;
}

/** A request's record while the endpoint works on it. */
export type RequestRecord = { -readonly [Member in keyof LocalRequest]: LocalRequest[Member] };
