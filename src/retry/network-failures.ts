/** What a failed connection says about its request. */
export type NetworkFailure = 'never sent' | 'may have run';

const neverSent = 'never sent';
const mayHaveRun = 'may have run';

/** The codes of Node, undici and OpenSSL. A code that ends with `*` stands for all codes that begin with the rest. */
const byCode: Readonly<Record<NetworkFailure, readonly string[]>> = {
  [neverSent]: [
    // Refusals and routes.
    ...['ECONNREFUSED', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL'],
    // Name resolution.
    ...['ENOTFOUND', 'EAI_AGAIN', 'EAI_*'],
    // A connection that was not established in time.
    'UND_ERR_CONNECT_TIMEOUT',
    // TLS and certificates.
    ...['EPROTO', 'ERR_SSL_*', 'ERR_TLS_*', 'CERT_*', 'UNABLE_TO_*', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ...['SELF_SIGNED_CERT_IN_CHAIN', 'INVALID_CA', 'HOSTNAME_MISMATCH', 'ERROR_IN_CERT_*'],
  ],
  [mayHaveRun]: [
    ...['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ERR_STREAM_PREMATURE_CLOSE'],
    ...['UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ERR_HTTP2_*'],
  ],
};

/** Parts of a message that say that the connection was never established. They count only with a code or a time-out. */
const notEstablished = ['connect ', 'before secure TLS', 'did not establish'];

/** How the message of a network failure's TypeError begins in Chromium, Firefox, Safari, React Native and Node. */
const fetchMessages = [
  ...['failed to fetch', 'fetch failed', 'network', 'load failed', 'terminated'],
  ...['the internet ', 'the network ', 'error in input'],
];

/** The fields that are read of an error of any origin. */
export interface TransportErrorLike {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly cause?: TransportErrorLike | null;
}

/**
 * Tells what a network failure says about its request. Returns undefined for every other error.
 *
 * A message alone proves nothing, because the message of a failed function may quote any error.
 */
export function networkFailureOf(error: TransportErrorLike): NetworkFailure | undefined {
  const isFetchError = error.name === 'TypeError' && startsWithAny(String(error.message).toLowerCase(), fetchMessages);
  // Node's `fetch` puts the connection's own error into the cause.
  const { name, message, code } = (isFetchError && error.cause) || error;
  const isTimeout = name === 'TimeoutError';
  const byTable = hasCode(neverSent, code) ? neverSent : hasCode(mayHaveRun, code) ? mayHaveRun : undefined;
  if (byTable === neverSent) return neverSent;
  const text = String(message);
  if ((byTable || isTimeout) && notEstablished.some((part) => matches(text, part))) return neverSent;
  return byTable ?? (isTimeout || isFetchError ? mayHaveRun : undefined);
}

function hasCode(failure: NetworkFailure, code: unknown): boolean {
  if (typeof code !== 'string') return false;
  return byCode[failure].some((known) => (known.endsWith('*') ? code.startsWith(known.slice(0, -1)) : code === known));
}

/** Node begins a message with the name of the system call, so that `connect ` counts at the beginning only. */
function matches(message: string, part: string): boolean {
  return part === 'connect ' ? message.startsWith(part) : message.includes(part);
}

/** Tells whether a text begins with one of these. */
export function startsWithAny(text: string, beginnings: readonly string[]): boolean {
  return beginnings.some((beginning) => text.startsWith(beginning));
}
