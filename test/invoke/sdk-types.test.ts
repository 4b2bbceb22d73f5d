import type {
  InvokeWithResponseStreamCommand,
  InvokeWithResponseStreamCommandInput,
  InvokeWithResponseStreamCommandOutput,
  InvokeWithResponseStreamResponseEvent,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import type {
  InvokeInput,
  LambdaStreamClient,
  LambdaStreamCommand,
  LambdaStreamOutput,
  LambdaStreamOutputEvent,
} from 'rx-lambda-stream';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, expectTypeOf, it } from 'vitest';

type Encoded = 'Payload' | 'ClientContext';
type SdkInput = InvokeWithResponseStreamCommandInput;

describe('the types that stand in for those of the SDK', () => {
  it('InvokeInput has the members of the SDK’s input, and they are assignable both ways', () => {
    expectTypeOf<keyof InvokeInput>().toEqualTypeOf<keyof SdkInput>();
    expectTypeOf<Omit<SdkInput, Encoded>>().toExtend<Omit<InvokeInput, Encoded>>();
    expectTypeOf<Omit<InvokeInput, Encoded>>().toExtend<Omit<SdkInput, Encoded>>();
    // What the SDK takes, InvokeInput takes too; a `Payload` of ours may be more.
    expectTypeOf<SdkInput>().toExtend<InvokeInput>();
  });

  it('a LambdaClient is a LambdaStreamClient, and its command is what a mock is given', () => {
    expectTypeOf<LambdaClient>().toExtend<LambdaStreamClient>();
    expectTypeOf<Omit<InvokeWithResponseStreamCommand['input'], 'Payload'>>().toExtend<
      Omit<LambdaStreamCommand['input'], 'Payload'>
    >();
    expectTypeOf<LambdaStreamCommand['input']>().toExtend<SdkInput>();
  });

  it('what the SDK answers is what a LambdaStreamClient answers', () => {
    expectTypeOf<InvokeWithResponseStreamCommandOutput>().toExtend<LambdaStreamOutput>();
    expectTypeOf<InvokeWithResponseStreamResponseEvent>().toExtend<LambdaStreamOutputEvent>();
    expectTypeOf<keyof LambdaStreamOutput>().toEqualTypeOf<keyof InvokeWithResponseStreamCommandOutput>();
  });

  it('a wrong client does not compile', () => {
    const send = (client: LambdaStreamClient): unknown => client;
    // @ts-expect-error a client's configuration
    send({ region: 'us-east-1' });
    // @ts-expect-error version 2 of the SDK has no `send`
    send({ invokeWithResponseStream: () => ({ promise: () => Promise.resolve({}) }) });
    // @ts-expect-error there is no client
    send(undefined);
    expectTypeOf<{ invoke(): void }>().not.toExtend<LambdaStreamClient>();
  });

  it('a promise as a Payload does not compile, and objects, arrays, class instances and interfaces do', () => {
    interface Row {
      id: number;
    }
    class Prompt {
      #text = '';
      toJSON = (): string => this.#text;
    }
    type Payload = InvokeInput['Payload'];
    expectTypeOf<Promise<{ prompt: string }>>().not.toExtend<Payload>();
    expectTypeOf<PromiseLike<string>>().not.toExtend<InvokeInput['ClientContext']>();
    expectTypeOf<Row | Row[] | readonly string[] | Prompt | object | Record<string, unknown>>().toExtend<Payload>();
    expectTypeOf<Blob | ArrayBuffer | DataView | Uint8Array | string | undefined>().toExtend<Payload>();
    const literals: InvokeInput[] = [
      { FunctionName: 'f', Payload: { prompt: 'Hi', nested: { x: [1] } } },
      { FunctionName: 'f', Payload: {}, ClientContext: { custom: { a: '1' } } },
    ];
    expect(literals).toHaveLength(2);
  });
});

it('one file of src/invoke imports from the SDK, so that every other one compiles without it', () => {
  const folder = fileURLToPath(new URL('../../src/invoke/', import.meta.url));
  const withSdk = readdirSync(folder).filter((file) => readFileSync(folder + file, 'utf8').includes(`'@aws-sdk/`));
  expect(withSdk).toEqual(['seamed-command.ts']);
});
