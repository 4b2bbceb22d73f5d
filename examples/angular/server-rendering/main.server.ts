import { bootstrapApplication, provideClientHydration, type BootstrapContext } from '@angular/platform-browser';
import type { ApplicationRef } from '@angular/core';
import { provideRouter } from '@angular/router';
import { provideServerRendering, RenderMode, withRoutes } from '@angular/ssr';
import { provideLambdaStreams } from 'rx-lambda-stream/angular';
import { source } from '../src/app/lambda/source';
import { Root, routes } from './answers';
import { readConfig } from './read-config';

/** An application for each request. */
export default function bootstrap(context: BootstrapContext): Promise<ApplicationRef> {
  const providers = [
    provideServerRendering(withRoutes([{ path: '**', renderMode: RenderMode.Server }])),
    provideRouter(routes),
    provideLambdaStreams(source(readConfig())),
    provideClientHydration(),
  ];
  return bootstrapApplication(Root, { providers }, context);
}
