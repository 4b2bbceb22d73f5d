import type { InvokeInput } from '../invoke/invoke-input.js';
import { maxClientContextBytes } from '../shared/bytes.js';
import { defined } from '../shared/defined.js';
import type { RequestHead } from './doors.js';
import { refusals } from './relay-refusal.js';

/** Lambda's path, at the end of any path at which the relay is mounted. */
const lambdaPath = /\/2021-11-15\/functions\/([^/]+)\/response-streaming-invocations$/;

/** How a client wants its answer: Lambda's frames, with this package's own events or without, or server-sent events. */
export type AnswerFormat = 'frames' | 'rx-frames' | 'sse';

/** Reads from `Accept` how the client wants its answer. @throws a refusal for a GET of anything but events. */
export function readFormat({ method, headers }: RequestHead): AnswerFormat {
  const accept = (headers.get('accept') ?? '').toLowerCase();
  const types = accept.split(',').map((type) => type.split(';').map((part) => part.trim()));
  if (types.some(([type]) => type === 'text/event-stream')) return 'sse';
  // A GET of an image, a link or a prefetcher must not run a function.
  if (method === 'GET') throw refusals.notAcceptable();
  const isRx = types.some(
    ([type, ...parts]) => type === 'application/vnd.amazon.eventstream' && parts.includes('rx=1'),
  );
  return isRx ? 'rx-frames' : 'frames';
}

/** Reads the function's name from Lambda's path, and decodes it. Returns undefined for any other path. */
export function readFunctionName({ url }: RequestHead): string | undefined {
  const [, encoded] = lambdaPath.exec(new URL(url).pathname) ?? [];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    // The text is not percent-encoded, so that it is not a name.
    throw refusals.malformed('The function name');
  }
}

/** Reads the request as the input that its client would send to Lambda. */
export function readInput({ url, headers }: RequestHead, payload: Uint8Array): InvokeInput {
  const member = (name: string): string | undefined => headers.get(name) ?? undefined;
  const input: Record<string, unknown> = defined({
    FunctionName: readFunctionName({ method: '', url, headers }),
    Payload: payload,
    Qualifier: new URL(url).searchParams.get('Qualifier') ?? undefined,
    InvocationType: member('x-amz-invocation-type'),
    LogType: member('x-amz-log-type'),
    TenantId: member('x-amz-tenant-id'),
    ClientContext: readClientContext(member('x-amz-client-context')),
  });
  return input as unknown as InvokeInput;
}

/** Decodes base64 JSON. @throws a refusal for anything else. */
function readClientContext(encoded: string | undefined): unknown {
  if (encoded === undefined) return undefined;
  try {
    if (encoded.length > maxClientContextBytes) throw new RangeError('over the limit');
    const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    throw refusals.malformed('The client context');
  }
}

/** Where a client goes on. */
export interface Place {
  readonly generation: string;
  readonly bytes: string;
  /** Whether the client has got the end already. */
  readonly ended: boolean;
}

/**
 * Reads `last-event-id`, which holds an `id:` that the relay has sent. EventSource without an id sends it empty.
 *
 * @throws a refusal for an id that the relay never sends.
 */
export function readPlace({ headers }: RequestHead): Place | undefined {
  const id = headers.get('last-event-id') ?? '';
  if (id === '') return undefined;
  const [, generation, bytes, end] = /^0*(\d{1,40})-0*(\d{1,40})(\/end)?$/.exec(id) ?? [];
  if (generation === undefined || bytes === undefined) throw refusals.malformed('The header last-event-id');
  return { generation, bytes, ended: end !== undefined };
}
