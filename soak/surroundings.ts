import { LambdaClient } from '@aws-sdk/client-lambda';
import { BehaviorSubject } from 'rxjs';
import { EndpointProcess } from './endpoint-process.js';
import type { Surroundings } from './follow.js';
import { createHandler, type HandlerName } from './handlers.js';

/** An endpoint, and a real client of it. */
export async function createSurroundings(handlerName: HandlerName, maxSockets = 50): Promise<Surroundings> {
  const endpoint = await EndpointProcess.start();
  const client = new LambdaClient({ ...endpoint.config, requestHandler: createHandler(handlerName, maxSockets) });
  return { endpoint, client, pausing: new BehaviorSubject(false) };
}
