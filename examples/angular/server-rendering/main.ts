import { bootstrapApplication, provideClientHydration } from '@angular/platform-browser';
import { provideRouter } from '@angular/router';
import { provideLambdaStreams } from 'rx-lambda-stream/angular';
import { loadConfig } from '../src/app/app-config';
import { source } from '../src/app/lambda/source';
import { Root, routes } from './answers';

// `?plain` throws away what the server rendered, and renders anew.
const hydration = new URLSearchParams(location.search).has('plain') ? [] : [provideClientHydration()];

loadConfig()
  .then((config) =>
    bootstrapApplication(Root, {
      providers: [provideRouter(routes), provideLambdaStreams(source(config)), ...hydration],
    }),
  )
  .then((app) => app.whenStable())
  // The page says when it has taken over.
  .then(() => document.body.setAttribute('data-ready', ''))
  .catch((error: unknown) => console.error(error));
