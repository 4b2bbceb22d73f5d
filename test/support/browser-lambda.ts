import { LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { inject, onTestFinished } from 'vitest';
import { encodeJson, type BrowserStep, type RequestReport } from './browser-protocol.js';

/** A function of the local endpoint, as a page sees it. */
export interface BrowserFunction {
  readonly name: string;
  /** Lets a script go on that waits at this gate. */
  readonly open: (gate: string) => Promise<void>;
  /** The function's requests, once so many have arrived: all that have by then. */
  readonly requests: (count: number) => Promise<readonly RequestReport[]>;
  /** Whether the client left before the response was sent to its end, once the server knows. */
  readonly closedEarly: (index: number) => Promise<boolean>;
}

/** A client with the SDK's browser build, gone when the test is. */
export function createClient(config: LambdaClientConfig = {}): LambdaClient {
  const client = new LambdaClient({ ...inject('clientConfig'), ...config });
  onTestFinished(() => client.destroy());
  return client;
}

/**
 * Has the endpoint play these scripts under a new name: one for each request in turn, the last one for all that follow.
 */
export async function defineFunction(...attempts: readonly (readonly BrowserStep[])[]): Promise<BrowserFunction> {
  return controlFunction(await control<string>('define', encodeJson(attempts)));
}

/** A function that the endpoint has already. */
export function controlFunction(name: string): BrowserFunction {
  return {
    name,
    open: (gate) => control(`open/${name}/${gate}`),
    requests: (count) => control(`requests/${name}/${count}`),
    closedEarly: (index) => control(`closed-early/${name}/${index}`),
  };
}

async function control<T>(path: string, body = ''): Promise<T> {
  const response = await fetch(`${inject('controlUrl')}/${path}`, { method: 'POST', body });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(String(answer));
  return answer as T;
}
