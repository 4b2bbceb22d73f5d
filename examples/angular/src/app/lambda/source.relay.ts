import type { LambdaStreamsOptions } from 'rx-lambda-stream/angular';
import { relayedInvoke } from 'rx-lambda-stream/http';
import type { AppConfig } from '../app-config';

/**
 * A relay on the page's own server: no SDK and no credentials in the page. `ng build --configuration relay` puts this
 * file in the place of `source.ts`.
 */
export function source(_config: AppConfig): LambdaStreamsOptions {
  return { invoke: relayedInvoke({ url: '/lambda' }) };
}
