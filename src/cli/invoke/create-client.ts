import { LambdaClient } from '@aws-sdk/client-lambda';

/** Where the command calls. */
export interface ClientArguments {
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly profile: string | undefined;
}

/** Makes a client with the ordinary AWS configuration. A client of a loopback endpoint needs no configuration. */
export function createClient({ endpoint, region, profile }: ClientArguments): LambdaClient {
  // The SDK's notice about Node versions is for developers who choose an SDK. A user of the command cannot act on it.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  // Every version of the SDK reads the variable; a `profile` in the client's configuration is newer.
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
