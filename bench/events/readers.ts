import { InvokeWithResponseStreamCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { defer, from, switchMap, type Observable } from 'rxjs';
import { invokeWithResponseStream } from 'rx-lambda-stream';

/** Reads one response to its end, and is told of each payload. */
export type Reader = (
  client: LambdaClient,
  FunctionName: string,
  onPayload: (payload: Uint8Array) => void,
) => Promise<void>;

export type ReaderName = 'rx-lambda-stream' | "the SDK's loop" | '`from(EventStream)`';

export const ours = 'rx-lambda-stream' satisfies ReaderName;
export const sdkLoop = "the SDK's loop" satisfies ReaderName;
export const rxjsFrom = '`from(EventStream)`' satisfies ReaderName;

export const readers: Readonly<Record<ReaderName, Reader>> = {
  [ours]: (client, FunctionName, onPayload) =>
    toEnd(invokeWithResponseStream(client, { FunctionName }), (event) => {
      if (event.type === 'chunk') onPayload(event.payload);
    }),

  async [sdkLoop](client, FunctionName, onPayload) {
    const { EventStream } = await client.send(new InvokeWithResponseStreamCommand({ FunctionName }));
    for await (const { PayloadChunk } of EventStream!) {
      if (PayloadChunk?.Payload !== undefined) onPayload(PayloadChunk.Payload);
    }
  },

  [rxjsFrom]: (client, FunctionName, onPayload) =>
    toEnd(
      defer(() => client.send(new InvokeWithResponseStreamCommand({ FunctionName }))).pipe(
        switchMap(({ EventStream }) => from(EventStream!)),
      ),
      ({ PayloadChunk }) => {
        if (PayloadChunk?.Payload !== undefined) onPayload(PayloadChunk.Payload);
      },
    ),
};

function toEnd<T>(source: Observable<T>, next: (value: T) => void): Promise<void> {
  return new Promise((complete, error) => source.subscribe({ next, complete, error }));
}

/** The reader that a measured process was started for. */
export function readerOf(name: string | undefined): Reader {
  if (name === undefined || !Object.hasOwn(readers, name)) throw new TypeError(`There is no reader ${name}`);
  return readers[name as ReaderName];
}
