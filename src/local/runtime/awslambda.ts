import { HttpResponseStream } from './http-response-stream.js';
import { streamifyResponse } from './streamify-response.js';

/** The global that the Node runtime on AWS gives to handlers. */
export const awslambda = { streamifyResponse, HttpResponseStream };

/**
 * Provides the global `awslambda`, so that unmodified handler files can be loaded: call it, then `await import` them.
 * Members that are there already stay, except these two.
 *
 * @example
 * installAwslambda();
 * const local = await startLocalLambda({ functions: { chat: await import('./chat.mjs') } });
 */
export function installAwslambda(): void {
  const holder = globalThis as { awslambda?: object };
  holder.awslambda = { ...holder.awslambda, ...awslambda };
}
