import { provideBrowserGlobalErrorListeners, type EnvironmentProviders } from '@angular/core';
import { provideRouter } from '@angular/router';
import { provideLambdaStreams } from 'rx-lambda-stream/angular';
import type { AppConfig } from './app-config';
import { provideChangeDetection } from './change-detection';
import { source } from './lambda/source';
import { routes } from './routes';

export function appProviders(config: AppConfig): EnvironmentProviders[] {
  return [
    provideBrowserGlobalErrorListeners(),
    provideChangeDetection(),
    provideRouter(routes),
    provideLambdaStreams(source(config)),
  ];
}
