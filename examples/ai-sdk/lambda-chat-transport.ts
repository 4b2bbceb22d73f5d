import { uiMessageChunkSchema, type ChatTransport, type UIMessage, type UIMessageChunk } from 'ai';
import { decodeHttpResponse, parseSse, toAsyncIterable, toReadableStream } from 'rx-lambda-stream';
import type { RelayedInvoke } from 'rx-lambda-stream/http';
import { defer, fromEvent, map, NEVER, takeUntil, type Observable } from 'rxjs';

/** What the relay is asked: with messages for an answer, without them for the one that is being written. */
export interface ChatPayload {
  readonly chatId: string;
  /** Names one answer: a lost connection comes back to it. */
  readonly requestId?: string;
  readonly messages?: readonly UIMessage[];
}

/** A transport of the AI SDK's `useChat` over a relay: `useChat({ transport, resume: true })`. */
export class LambdaChatTransport<Message extends UIMessage = UIMessage> implements ChatTransport<Message> {
  /** The invocation log has the answer from its beginning. */
  readonly resumeStreamIsReplay = true;
  private readonly invoke: RelayedInvoke;

  /** @param invoke - From `relayedInvoke({ url: '/api/lambda' })`. */
  constructor(invoke: RelayedInvoke) {
    this.invoke = invoke;
  }

  sendMessages: ChatTransport<Message>['sendMessages'] = async ({ chatId, messages, abortSignal }) => {
    const payload = { chatId, requestId: crypto.randomUUID(), messages };
    return toReadableStream((pauseWhile) => this.read(payload, abortSignal, pauseWhile));
  };

  reconnectToStream: ChatTransport<Message>['reconnectToStream'] = async ({ chatId, abortSignal }) => {
    const chunks = toAsyncIterable((pauseWhile) => this.read({ chatId }, abortSignal, pauseWhile));
    try {
      // Only an answer tells whether there is one.
      const first = await chunks.next();
      return first.done ? null : streamOf(first.value, chunks);
    } catch (error) {
      if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 404) return null;
      throw error;
    }
  };

  /** Ends the answer for everybody, and closes the connection to Lambda. An abort only leaves. */
  stop(chatId: string): Promise<void> {
    return this.invoke.stop(inputOf({ chatId }));
  }

  private read(
    payload: ChatPayload,
    signal: AbortSignal | undefined,
    pauseWhile: Observable<boolean>,
  ): Observable<UIMessageChunk> {
    const aborted = defer(() => (signal?.aborted ? [true] : signal ? fromEvent(signal, 'abort') : NEVER)).pipe(
      map(() => {
        throw signal?.reason;
      }),
    );
    // #region read
    return this.invoke(undefined, inputOf(payload), { pauseWhile }).pipe(
      decodeHttpResponse({ failOnStatus: true }),
      parseSse({ schema: chunkSchema, endMarker: '[DONE]' }),
      map(({ data }) => data),
      takeUntil(aborted),
    );
    // #endregion
  }
}

const inputOf = (payload: ChatPayload) => ({ FunctionName: 'chat', Payload: { ...payload } });

/** The AI SDK's own schema as a Standard Schema. */
const chunkSchema = {
  '~standard': {
    version: 1,
    vendor: 'ai',
    async validate(value: unknown) {
      const result = await uiMessageChunkSchema().validate?.(value);
      return result?.success ? { value: result.value } : { issues: [{ message: String(result?.error.message) }] };
    },
  },
} as const;

function streamOf<T>(first: T, rest: AsyncIterator<T, undefined>): ReadableStream<T> {
  return new ReadableStream(
    {
      start: (controller) => controller.enqueue(first),
      async pull(controller) {
        const next = await rest.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      },
      async cancel() {
        await rest.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
