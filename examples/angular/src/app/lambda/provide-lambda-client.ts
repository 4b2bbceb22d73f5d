import { DestroyRef, inject, makeEnvironmentProviders, type EnvironmentProviders } from '@angular/core';
import { LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';

/** One `LambdaClient` for the application: `inject(LambdaClient)`. It is made when something first asks for it. */
export function provideLambdaClient(config: LambdaClientConfig): EnvironmentProviders {
  return makeEnvironmentProviders([
    {
      provide: LambdaClient,
      useFactory: () => {
        const client = new LambdaClient(config);
        inject(DestroyRef).onDestroy(() => client.destroy());
        return client;
      },
    },
  ]);
}
