/**
 * Calls InvokeWithResponseStream with the SDK alone. Each region is the counterpart of the region with the same name in
 * migrating-after.ts. A test runs both on one endpoint.
 */
import {
  InvokeWithResponseStreamCommand,
  LambdaClient,
  TooManyRequestsException,
  type LambdaClientConfig,
} from '@aws-sdk/client-lambda';

interface Row {
  readonly id: number;
}

// #region text
export async function printAnswer(client: LambdaClient): Promise<void> {
  const { EventStream = [] } = await client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'chat' }));
  const decoder = new TextDecoder();
  for await (const { PayloadChunk } of EventStream) {
    if (PayloadChunk) process.stdout.write(decoder.decode(PayloadChunk.Payload, { stream: true }));
  }
}
// #endregion

// #region whole
export async function readReport(client: LambdaClient): Promise<unknown> {
  const { EventStream = [] } = await client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'report' }));
  const decoder = new TextDecoder();
  let text = '';
  for await (const { PayloadChunk } of EventStream) text += decoder.decode(PayloadChunk?.Payload, { stream: true });
  return JSON.parse(text);
}
// #endregion

// #region rows
export async function printRows(client: LambdaClient): Promise<void> {
  const { EventStream = [] } = await client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'rows' }));
  const decoder = new TextDecoder();
  let rest = '';
  for await (const { PayloadChunk } of EventStream) {
    const lines = (rest + decoder.decode(PayloadChunk?.Payload, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) console.log((JSON.parse(line) as Row).id);
  }
  if (rest !== '') console.log((JSON.parse(rest) as Row).id);
}
// #endregion

// #region leave
export async function readFirstChunk(client: LambdaClient): Promise<Uint8Array | undefined> {
  const { EventStream = [] } = await client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'ticker' }));
  for await (const { PayloadChunk } of EventStream) {
    if (PayloadChunk) return PayloadChunk.Payload; // the connection stays open
  }
  return undefined;
}
// #endregion

// #region abort
export async function printUntilAborted(client: LambdaClient, signal: AbortSignal): Promise<void> {
  const command = new InvokeWithResponseStreamCommand({ FunctionName: 'ticker' });
  const { EventStream = [] } = await client.send(command, { abortSignal: signal });
  const decoder = new TextDecoder();
  for await (const { PayloadChunk } of EventStream) {
    if (PayloadChunk) process.stdout.write(decoder.decode(PayloadChunk.Payload, { stream: true }));
  }
}
// #endregion

// #region timeouts
export function createImpatientClient(config: LambdaClientConfig, firstMs = 5_000, eachMs = 10_000): LambdaClient {
  return new LambdaClient({
    ...config,
    requestHandler: { requestTimeout: firstMs, throwOnRequestTimeout: true, socketTimeout: eachMs },
  });
}
// #endregion

// #region retries
export function createRetryingClient(config: LambdaClientConfig): LambdaClient {
  return new LambdaClient({ ...config, maxAttempts: 4 });
}
// #endregion

// #region end
export async function printWithLog(client: LambdaClient): Promise<void> {
  const command = new InvokeWithResponseStreamCommand({ FunctionName: 'chat', LogType: 'Tail' });
  const { EventStream = [] } = await client.send(command);
  const decoder = new TextDecoder();
  for await (const { PayloadChunk, InvokeComplete } of EventStream) {
    if (PayloadChunk) process.stdout.write(decoder.decode(PayloadChunk.Payload, { stream: true }));
    if (InvokeComplete?.LogResult) console.error(Buffer.from(InvokeComplete.LogResult, 'base64').toString());
    if (InvokeComplete?.ErrorCode) throw new Error(`${InvokeComplete.ErrorCode}: ${InvokeComplete.ErrorDetails}`);
  }
}
// #endregion

// #region errors
export function explain(error: unknown): string {
  // Before the stream it is the class, within the stream a plain Error whose message is JSON.
  if (error instanceof TooManyRequestsException) return `throttled: ${error.Reason}`;
  if (error instanceof Error && error.name === 'TooManyRequestsException') {
    return `throttled: ${(JSON.parse(error.message) as { Reason?: string }).Reason}`;
  }
  return String(error);
}
// #endregion
