import { LambdaClient } from '@aws-sdk/client-lambda';

/** Where to call. */
export interface ClientArguments {
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly profile: string | undefined;
}

/** A client with the ordinary AWS configuration, or one for a local endpoint, which needs none. */
export function createClient({ endpoint, region, profile }: ClientArguments): LambdaClient {
  // Read by every version of the SDK, whereas a `profile` in the client's configuration is new.
  if (profile !== undefined) process.env['AWS_PROFILE'] = profile;
  const isLocal = endpoint !== undefined && isLoopback(new URL(endpoint).hostname) && profile === undefined;
  return new LambdaClient({
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined ? { region } : isLocal ? { region: 'us-east-1' } : {}),
    ...(isLocal && { credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }),
  });
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}
