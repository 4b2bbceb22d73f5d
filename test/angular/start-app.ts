import { fileURLToPath } from 'node:url';
import { chromium, type Browser } from 'playwright';
import { startLocalLambda, type LocalFunction, type LocalLambda } from 'rx-lambda-stream/local';
import { startAppServer } from '../../examples/angular/demo/app-server.js';
import { startRelay } from '../../examples/angular/demo/relay.js';
import { chromiumLaunchOptions } from '../support/chromium.js';

/** The application's default, with the SDK and without zone.js; with zone.js; with a relay instead of the SDK. */
export type Build = 'zoneless' | 'zone' | 'relay';

/** The built application, and the endpoint that it calls. */
export interface RunningApp {
  readonly origin: string;
  readonly local: LocalLambda;
  readonly close: () => Promise<void>;
}

/** @param configOf - What the page's `config.json` says. @defaultValue the endpoint, with fixed credentials */
export async function startApp(
  build: Build,
  functions: Record<string, LocalFunction>,
  configOf: (local: LocalLambda) => object = (local) => local.clientConfig,
): Promise<RunningApp> {
  const app = await startAppServer({
    directory: fileURLToPath(new URL(`../../examples/angular/dist/${build}/browser/`, import.meta.url)),
    config: () => configOf(local),
    relay: (request, response) => relay.listener(request, response),
  });
  const local = await startLocalLambda({ functions, cors: [app.origin] });
  const relay = startRelay(local);
  return {
    origin: app.origin,
    local,
    close: async () => {
      await relay.close();
      await app.close();
      await local.close();
    },
  };
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch(chromiumLaunchOptions);
}
