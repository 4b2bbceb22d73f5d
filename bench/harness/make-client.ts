import { LambdaClient } from '@aws-sdk/client-lambda';

/** Makes a client of the benchmark's server. The number of its connections is not limited. */
export function makeClient(port: number): LambdaClient {
  return new LambdaClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    requestHandler: { httpAgent: { maxSockets: Infinity } },
  });
}
