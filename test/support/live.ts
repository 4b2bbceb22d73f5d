import { LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { FetchHttpHandler } from '@smithy/fetch-http-handler';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { startLocalLambda, type LocalLambda, type LocalLambdaOptions } from 'rx-lambda-stream/local';
import { onTestFinished } from 'vitest';

/** The two HTTP handlers of the SDK, made anew for each client. */
export const httpHandlers = [
  ['NodeHttpHandler', (): NonNullable<LambdaClientConfig['requestHandler']> => new NodeHttpHandler()],
  ['FetchHttpHandler', (): NonNullable<LambdaClientConfig['requestHandler']> => new FetchHttpHandler()],
] as const;

/** A real client on a real endpoint; both are gone when the test is. */
export async function startLive(
  functions: LocalLambdaOptions['functions'],
  config: LambdaClientConfig = {},
): Promise<{ local: LocalLambda; client: LambdaClient }> {
  const local = await startLocalLambda({ functions });
  const client = new LambdaClient({ ...local.clientConfig, ...config });
  onTestFinished(async () => {
    client.destroy();
    await local.close();
  });
  return { local, client };
}

/** A promise and its resolve function. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
