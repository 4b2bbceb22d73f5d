import { classifyInvocationError, isLambdaStreamError, type HeadEvent } from '../../index.js';
import { networkFailureOf, type TransportErrorLike } from '../../retry/network-failures.js';
import { exitCodes } from '../command-line.js';
import type { ClientArguments } from './invoke-arguments.js';
import { oneLine, type Paint } from '../terminal.js';

/** The facts of a failed call that its error does not hold. */
export interface CallCircumstances extends ClientArguments {
  /** The response's head, if it arrived. */
  readonly head?: HeadEvent | undefined;
}

/** Describes an error for people: what failed, what is known of it, and what to do. */
export function describeError(error: unknown, paint: Paint, call: CallCircumstances): string {
  const { name = 'Error', message = '', code } = error as { name?: string; message?: string; code?: string };
  const where = call.endpoint ?? 'AWS';
  // Where several addresses failed, Node's error has no message.
  const text = message === '' ? `${code ?? 'unknown error'} (${where})` : message;
  const lines = [`${paint('red', name)}: ${oneLine(text.trim())}`];
  if (isLambdaStreamError(error) && error.code === 'function-error') {
    const { trace = [] } = error;
    for (const frame of trace.filter((line) => /^\s*at /.test(line))) lines.push(paint('dim', `  ${frame.trim()}`));
  }
  const hint = hintFor(error, call);
  if (hint !== undefined) lines.push(`  ${oneLine(hint)}`);
  return lines.join('\n');
}

/** Returns the exit code for an invocation's error. */
export function exitCodeOf(error: unknown, head?: HeadEvent): number {
  if (isLambdaStreamError(error)) {
    if (error.code === 'function-error') return exitCodes.functionFailed;
    if (error.code === 'http-status') return exitCodes.httpStatus;
    if (error.code !== 'truncated' && error.code !== 'protocol') return exitCodes.unreadable;
    return foreignAnswer(error, head) === undefined ? exitCodes.broken : exitCodes.unreachable;
  }
  const { message, $metadata } = error as {
    message?: string;
    $metadata?: { httpStatusCode?: number };
  };
  if ($metadata?.httpStatusCode !== undefined) {
    if (classifyInvocationError(error).verdict !== 'never') return exitCodes.unavailable;
    return foreignAnswer(error, head) === undefined ? exitCodes.refused : exitCodes.unreachable;
  }
  const failure = networkFailureOf(Object(error) as TransportErrorLike);
  if (failure === 'never sent') return exitCodes.unreachable;
  if (isAboutCredentials(error) || /region is missing/i.test(message ?? '')) return exitCodes.unreachable;
  return failure === 'may have run' ? exitCodes.broken : exitCodes.unexpected;
}

function hintFor(error: unknown, call: CallCircumstances): string | undefined {
  const { message = '' } = error as { message?: string };
  const foreign = foreignAnswer(error, call.head);
  if (foreign !== undefined) {
    const server = call.endpoint ?? 'AWS or a proxy before it';
    return `${server} did not answer as Lambda does (${foreign}): is it another server?`;
  }
  const profile = call.profile === undefined ? '' : ` profile "${call.profile}"`;
  if (/region is missing/i.test(message)) {
    const other = profile === '' ? 'set AWS_REGION' : `check that ~/.aws has${profile} with a region`;
    return `Name a region with --region, or ${other}.`;
  }
  if (!isAboutCredentials(error)) return undefined;
  return profile === ''
    ? 'Set AWS_PROFILE or AWS_ACCESS_KEY_ID, sign in (aws sso login), or name a profile with --profile.'
    : `The credentials were looked for in${profile}: check that ~/.aws has it, and that its session has not ended.`;
}

/** Tells whether the call failed before it was sent, because it had no credentials. */
function isAboutCredentials(error: unknown): boolean {
  const { name, message = '' } = error as { name?: string; message?: string };
  return name === 'CredentialsProviderError' || /credential/i.test(message);
}

interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Describes an answer that is not Lambda's: Lambda gives each answer a request id, an error type or its media type. */
function foreignAnswer(error: unknown, head: HeadEvent | undefined): string | undefined {
  const code = isLambdaStreamError(error) ? error.code : undefined;
  // The SDK keeps the response that it could not read in a hidden field.
  const { $response } = error as { readonly $response?: HttpAnswer };
  if (code === 'protocol' && head === undefined) return 'no event stream';
  const answer = code === 'protocol' || code === 'truncated' ? head : $response;
  if (answer?.headers === undefined) return undefined;
  const type = answer.headers['content-type'];
  const isLambda =
    ['x-amzn-requestid', 'x-amzn-errortype'].some((name) => answer.headers[name] !== undefined) ||
    type?.toLowerCase().startsWith('application/vnd.amazon.eventstream');
  return isLambda ? undefined : `HTTP ${answer.statusCode}, ${type ?? 'no content type'}`;
}
