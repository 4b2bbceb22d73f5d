import { LambdaClient } from '@aws-sdk/client-lambda';

/** A client of the benchmark's server; as many connections at once as there are streams. */
export function makeClient(port: number): LambdaClient {
  return new LambdaClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    requestHandler: { httpAgent: { maxSockets: Infinity } },
  });
}
