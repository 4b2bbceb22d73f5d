import type { ResponseStream } from './response-stream.js';
import { streamifyResponse } from './streamify-response.js';

/** The media type of a stream that begins with an HTTP prelude. */
export const preludeContentType = 'application/vnd.awslambda.http-integration-response';
/** How many NUL bytes end a prelude. */
export const delimiterLength = 8;

/** The status, headers and cookies of an HTTP response. The prelude holds them as JSON. */
export interface HttpResponseMetadata {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>;
  readonly cookies?: readonly string[];
}

/** `awslambda.HttpResponseStream`: begins a stream with the status and headers of an HTTP response. */
export const HttpResponseStream = {
  /**
   * Writes the metadata as JSON and eight NUL bytes before the first `write`, and sets the content type that announces
   * them. As on AWS, a stream without a call of `write` gets no prelude.
   */
  from(responseStream: ResponseStream, metadata: HttpResponseMetadata): ResponseStream {
    responseStream.setContentType(preludeContentType);
    const prelude = JSON.stringify(metadata);
    responseStream._onBeforeFirstWrite = (write) => {
      write(prelude);
      write(new Uint8Array(delimiterLength));
    };
    return responseStream;
  },
};

/** The global object that the Node runtime on AWS gives to handlers. */
export const awslambda = { streamifyResponse, HttpResponseStream };

/**
 * Provides the global `awslambda`, so that handler files load as they are. Call it before you `await import` them.
 * Where handler files are imported statically, import `rx-lambda-stream/local/register` first. Other members of an
 * existing `awslambda` stay.
 *
 * @example
 * installAwslambda();
 * const local = await startLocalLambda({ functions: { chat: await import('./chat.mjs') } });
 */
export function installAwslambda(): void {
  const holder = globalThis as { awslambda?: object };
  holder.awslambda = { ...holder.awslambda, ...awslambda };
}
