import { bootstrapApplication } from '@angular/platform-browser';
import { App } from './app/app';
import { loadConfig } from './app/app-config';
import { appProviders } from './app/app-providers';

// Not a top-level await: with zone.js, whose builds are lowered for older browsers, there is none.
loadConfig()
  .then((config) => bootstrapApplication(App, { providers: appProviders(config) }))
  .catch((error: unknown) => {
    console.error(error);
    document.body.textContent = 'The application could not start.';
  });
