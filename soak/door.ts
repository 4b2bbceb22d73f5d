import { LambdaClient } from '@aws-sdk/client-lambda';
import { FetchHttpHandler } from '@smithy/fetch-http-handler';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import {
  invokeWithResponseStream,
  type InvokeWithResponseStreamOptions,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { fetchResponseStream } from 'rx-lambda-stream/http';
import { BehaviorSubject, type Observable } from 'rxjs';
import { EndpointProcess } from './endpoint-process.js';

/** A way to a function: the SDK with one of its HTTP handlers, or plain HTTP to the function's URL. */
export const doorNames = ['NodeHttpHandler', 'FetchHttpHandler', 'fetchResponseStream'] as const;
export type DoorName = (typeof doorNames)[number];

/** An endpoint, and one way to its functions. */
export interface Door {
  readonly name: DoorName;
  readonly endpoint: EndpointProcess;
  /** One for all streams, longer-lived than any of them: what each `pauseWhile` listens to besides its own. */
  readonly pausing: BehaviorSubject<boolean>;
  invoke(
    functionName: string,
    payload: () => object,
    options?: InvokeWithResponseStreamOptions,
  ): Observable<LambdaStreamEvent>;
  /** Destroys the client. Node's fetch keeps its idle connections all the same. */
  close(): void;
}

/** @param maxSockets - Limits Node's handler. Node's fetch opens as many sockets as it needs. */
export async function openDoor(name: DoorName, maxSockets = 50): Promise<Door> {
  const endpoint = await EndpointProcess.start();
  const common = { name, endpoint, pausing: new BehaviorSubject(false) };
  if (name === 'fetchResponseStream') {
    const { functionUrls } = endpoint.address;
    const request = (functionName: string, payload: object): Request =>
      new Request(functionUrls[functionName]!, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(payload),
      });
    return {
      ...common,
      invoke: (functionName, payload, { pauseWhile } = {}) =>
        fetchResponseStream(() => request(functionName, payload()), pauseWhile && { pauseWhile }),
      close: () => undefined,
    };
  }
  const client = new LambdaClient({
    ...endpoint.address.clientConfig,
    requestHandler:
      name === 'NodeHttpHandler' ? new NodeHttpHandler({ httpAgent: { maxSockets } }) : new FetchHttpHandler(),
  });
  return {
    ...common,
    invoke: (FunctionName, payload, options) =>
      invokeWithResponseStream(client, () => ({ FunctionName, Payload: payload() }), options),
    close: () => client.destroy(),
  };
}
