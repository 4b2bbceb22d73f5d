import type { IncomingHttpHeaders } from 'node:http';

/**
 * One invocation request that the endpoint received, and how its response fared. Preflights, refused pages and requests
 * to other paths are not recorded.
 */
export interface LocalRequest {
  /** The function's bare name, also where the client sent an ARN. */
  readonly functionName: string;
  /** The alias or version asked for, in the query or in the ARN. */
  readonly qualifier?: string;
  /** The API's operation, or `FunctionUrl` for a request to the function's URL. */
  readonly operation: 'InvokeWithResponseStream' | 'Invoke' | 'FunctionUrl';
  /** The HTTP method. */
  readonly method: string;
  /** The request's path as it was sent, without the query. */
  readonly path: string;
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
  /** How often this function was asked for, this request included: 1 for the first, and for each unknown function. */
  readonly attempt: number;
  /** The response's status, once its headers are out. */
  readonly statusCode?: number;
  /**
   * The status in the function's own HTTP response, where it made one: that of the prelude, or of a result with a
   * `statusCode`. The SDK's way carries it inside a 200.
   */
  readonly responseStatus?: number;
  /** From the arrival of the request's headers to the response's first byte, in milliseconds. */
  readonly firstByteMs?: number;
  /** Bytes of response body handed to the connection so far. */
  readonly bytesWritten: number;
  /** Bytes of the function's own payload among them, without frames. */
  readonly payloadBytes: number;
  /** Resolves when the response is over: sent to its end, or its connection closed. Never rejects. */
  readonly closed: Promise<void>;
  /** Resolves with `closed`: true when the client went away before the response was sent to its end, else false. */
  readonly closedEarly: Promise<boolean>;
}

/** A request's record while the endpoint works on it. */
export type RequestRecord = { -readonly [Member in keyof LocalRequest]: LocalRequest[Member] };
