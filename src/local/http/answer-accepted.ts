import type { IncomingMessage } from 'node:http';
import type { FunctionFailure } from '../invocation/describe-failure.js';
import type { IncomingInvocation, Invocation } from '../invocation/invocation.js';
import { readRequestBody } from './read-request-body.js';

/**
 * Reads a request's payload, has the invocation accepted and answered, and gives its place back. Every door answers in
 * this order.
 *
 * @param accept - Accepts the invocation. Throws a ServiceRefusal for a request that is refused before the function
 * runs.
 * @param answer - Answers to the end. Resolves with the function's failure, if there was one.
 */
export async function answerAccepted(
  incoming: IncomingInvocation,
  request: IncomingMessage,
  accept: (payload: Uint8Array) => Invocation,
  answer: (invocation: Invocation) => Promise<FunctionFailure | undefined>,
): Promise<FunctionFailure | undefined> {
  const { settings, record } = incoming;
  const body = await readRequestBody(request, settings.maxRequestBytes);
  // The client went away before its request was complete.
  if (body === undefined) return undefined;
  record.payload = body;
  const invocation = accept(body);
  try {
    return await answer(invocation);
  } finally {
    invocation.release();
  }
}
