import type { AppConfig } from '../src/app/app-config';

/** Where the functions are, from the environment. The builder also runs this, to see the routes, without one. */
export function readConfig(): AppConfig {
  return JSON.parse(process.env['LAMBDA_CONFIG'] ?? '{"region":"us-east-1"}') as AppConfig;
}
