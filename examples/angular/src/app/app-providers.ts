import { provideBrowserGlobalErrorListeners, type EnvironmentProviders } from '@angular/core';
import { provideRouter } from '@angular/router';
import type { AppConfig } from './app-config';
import { provideChangeDetection } from './change-detection';
import { credentialsOf } from './lambda/credentials';
import { provideLambdaClient } from './lambda/provide-lambda-client';
import { routes } from './routes';

export function appProviders(config: AppConfig): EnvironmentProviders[] {
  return [
    provideBrowserGlobalErrorListeners(),
    provideChangeDetection(),
    provideRouter(routes),
    provideLambdaClient({
      region: config.region,
      ...(config.endpoint !== undefined && { endpoint: config.endpoint }),
      credentials: credentialsOf(config),
    }),
  ];
}
