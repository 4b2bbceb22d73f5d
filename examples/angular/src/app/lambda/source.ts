import { DestroyRef, inject } from '@angular/core';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import type { LambdaStreamsOptions } from 'rx-lambda-stream/angular';
import type { AppConfig } from '../app-config';
import { credentialsOf } from './credentials';

/** The SDK in the page, with the visitor's own credentials. `source.relay.ts` is the alternative. */
export function source(config: AppConfig): LambdaStreamsOptions {
  return { invoke: invokeWithResponseStream, client: () => createClient(config) };
}

/** Made when something first asks, and closed with the application. */
function createClient(config: AppConfig): LambdaClient {
  const { region, endpoint } = config;
  const client = new LambdaClient({
    region,
    ...(endpoint !== undefined && { endpoint }),
    credentials: credentialsOf(config),
  });
  inject(DestroyRef).onDestroy(() => client.destroy());
  return client;
}
