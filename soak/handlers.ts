import type { LambdaClientConfig } from '@aws-sdk/client-lambda';
import { FetchHttpHandler } from '@smithy/fetch-http-handler';
import { NodeHttpHandler } from '@smithy/node-http-handler';

export type HandlerName = 'NodeHttpHandler' | 'FetchHttpHandler';

/** A new HTTP handler. The number of sockets is Node's handler's to limit; fetch opens as many as it needs. */
export function createHandler(
  name: HandlerName,
  maxSockets: number,
): NonNullable<LambdaClientConfig['requestHandler']> {
  return name === 'NodeHttpHandler' ? new NodeHttpHandler({ httpAgent: { maxSockets } }) : new FetchHttpHandler();
}
