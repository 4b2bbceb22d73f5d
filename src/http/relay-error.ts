import { decodeFailure } from '../shared/failure-codec.js';
import { asText, parseObject } from '../shared/json.js';

/** How much of an error's body is read, in bytes. */
const maxErrorBytes = 64 * 1024;

/**
 * Makes the error that a relay reports in an HTTP answer or within the stream.
 *
 * An error of this package has its class again. A service exception, a refusal and a proxy's answer get AWS's `$fault`
 * and `$metadata`, so that `classifyInvocationError` and checks by name hold. Any other error keeps its name and, where
 * the transport behind the relay failed, its code.
 */
export function toRelayedError(
  name: string | undefined,
  members: Readonly<Record<string, unknown>>,
  status: number,
): unknown {
  const { transportCode, requestId, Type: _, $fault = status < 500 ? 'client' : 'server', ...told } = members;
  const message = asText(told['message']) ?? asText(told['Message']) ?? `The relay answered with HTTP status ${status}`;
  if (told['ours'] === true) return decodeFailure({ ...told, requestId, name, message });
  const isService = '$fault' in members || name === undefined;
  return decodeFailure({
    ...told,
    // The answer of a proxy has no exception name.
    name: name ?? 'UnknownError',
    message,
    code: transportCode,
    ...(isService && { $fault, $metadata: { httpStatusCode: status, requestId } }),
  });
}

/** Reads the error from an HTTP answer that reports one. */
export async function readRelayError(response: Response): Promise<unknown> {
  const { status, headers } = response;
  const retryAfterSeconds = headers.get('retry-after') ?? undefined;
  const members = parseObject(await readText(response)) ?? {};
  const name = headers.get('x-amzn-errortype') ?? undefined;
  return toRelayedError(name, { ...(retryAfterSeconds !== undefined && { retryAfterSeconds }), ...members }, status);
}

/** Reads the beginning of a body. A body that breaks gives what came so far, because the status is known anyway. */
async function readText({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  const reader = body?.getReader();
  let text = '';
  try {
    for (let bytes = 0; reader && bytes < maxErrorBytes;) {
      const { done, value } = await reader.read();
      if (done) return text;
      bytes += value.length;
      text += decoder.decode(value, { stream: true });
    }
    await reader?.cancel();
  } catch {
    // The connection broke within the error's body.
  }
  return text;
}
