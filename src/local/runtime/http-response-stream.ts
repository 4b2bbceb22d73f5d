import type { ResponseStream } from './response-stream.js';

const preludeContentType = 'application/vnd.awslambda.http-integration-response';
const delimiterLength = 8;

/** What the prelude may say of the HTTP response: the status, headers and cookies. */
export interface HttpResponseMetadata {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>;
  readonly cookies?: readonly string[];
}

/** `awslambda.HttpResponseStream`: begins a stream with the status and headers of an HTTP response. */
export const HttpResponseStream = {
  /**
   * Puts the metadata as JSON and eight NUL bytes before the first `write`, and sets the content type that says so.
   * As on AWS, a stream that only ever calls `end` gets no prelude.
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
