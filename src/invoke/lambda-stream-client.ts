import type { InvokeCommandInput } from './invoke-input.js';

/**
 * The part of a `LambdaClient` that is used: its `send`. A mock needs nothing more.
 *
 * The members are spelled out, so that code without the SDK's package has these types too.
 */
export interface LambdaStreamClient {
  /** Sends the command. The signal aborts it. */
  send(command: LambdaStreamCommand, options?: { abortSignal?: AbortSignal }): Promise<LambdaStreamOutput>;
}

/** The SDK's `InvokeWithResponseStreamCommand`, as far as a mocked client can use it. */
export interface LambdaStreamCommand {
  readonly input: InvokeCommandInput;
}

/** The SDK's `InvokeWithResponseStreamCommandOutput`: what a mocked client answers with. */
export interface LambdaStreamOutput {
  readonly StatusCode?: number | undefined;
  readonly ExecutedVersion?: string | undefined;
  readonly ResponseStreamContentType?: string | undefined;
  readonly EventStream?: AsyncIterable<LambdaStreamOutputEvent> | undefined;
  readonly $metadata?: { readonly requestId?: string | undefined };
}

/** The SDK's `InvokeWithResponseStreamResponseEvent`: one of the three members is there. */
export interface LambdaStreamOutputEvent {
  readonly PayloadChunk?: { readonly Payload?: Uint8Array | undefined } | undefined;
  readonly InvokeComplete?: InvokeCompleteFields | undefined;
  /** The event's type, and its content: an event that the SDK's version does not know. */
  readonly $unknown?: readonly [type: string, content: unknown] | undefined;
}

/** AWS's field names in an InvokeComplete. */
export interface InvokeCompleteFields {
  readonly ErrorCode?: string | undefined;
  readonly ErrorDetails?: string | undefined;
  readonly LogResult?: string | undefined;
}
