import type { IncomingHttpHeaders } from 'node:http';

/**
 * One invocation request that the endpoint received, and how its response fared. Preflights and requests to other
 * paths are not recorded.
 */
export interface LocalRequest {
  /** The function's bare name, also where the client sent an ARN. */
  readonly functionName: string;
  /** The alias or version asked for, in the query or in the ARN. */
  readonly qualifier?: string;
  readonly operation: 'InvokeWithResponseStream' | 'Invoke';
  /** `X-Amz-Invocation-Type`, `RequestResponse` where it was not sent. */
  readonly invocationType: string;
  /** `X-Amz-Log-Type`, `None` where it was not sent. */
  readonly logType: string;
  readonly tenantId?: string;
  /** `X-Amz-Client-Context`, decoded from its base64 JSON. */
  readonly clientContext?: unknown;
  /** The HTTP request headers as they came, names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** The request body: empty until all of it has arrived, complete when the function starts. */
  readonly payload: Uint8Array;
  /** Sent back as `x-amzn-requestid`, and the handler's `context.awsRequestId`. */
  readonly requestId: string;
  /** How often this function was asked for, this request included: 1 for the first. */
  readonly attempt: number;
  /** The response's status, once its headers are out. */
  readonly statusCode?: number;
  /** Bytes of response body handed to the connection so far. */
  readonly bytesWritten: number;
  /** Resolves when the response is over: sent to its end, or its connection closed. Never rejects. */
  readonly closed: Promise<void>;
  /** Resolves with `closed`: true when the client went away before the response was sent to its end, else false. */
  readonly closedEarly: Promise<boolean>;
}

/** A request's record while the endpoint works on it. */
export type RequestRecord = { -readonly [Member in keyof LocalRequest]: LocalRequest[Member] };
