import { context, propagation } from '@opentelemetry/api';
import type { InvokeInput } from '../invoke/invoke-input.js';
import { maxClientContextBytes, textFromBase64 } from '../shared/bytes.js';
import { checkValue, objectLike } from '../shared/check-options.js';
import { isPlainObject, parseObject } from '../shared/json.js';

/**
 * Adds the active trace context to an input, for the function to continue the trace.
 *
 * The fields of the global propagator (`traceparent`, `tracestate`, `baggage`) are added to the ClientContext's
 * lowercase `custom`, which Lambda's runtimes hand to the function. The input stays as it was if nothing is injected,
 * if its ClientContext is not a base64 JSON object, if the `custom` in it is not an object, or if the result would be
 * over AWS's 3,583 bytes.
 *
 * The function's side has to read it: OpenTelemetry's Lambda instrumentation does not look into ClientContext by
 * itself. Give it an `eventContextExtractor` that reads `context.clientContext.custom`.
 *
 * @example
 * invokeWithResponseStream(client, () => withTraceContext({ FunctionName: 'chat' }));
 *
 * @param input - The input, written inside a function, so that each attempt takes the context that is active then.
 * @throws TypeError for an input that is no object, such as a function: write the function around this call.
 * @see https://www.w3.org/TR/trace-context/ what the default propagator injects
 */
export function withTraceContext(input: InvokeInput): InvokeInput {
  checkValue('withTraceContext', 'input', input, objectLike('{ FunctionName }'));
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  if (Object.keys(carrier).length === 0) return input;
  const { ClientContext: given } = input;
  const present = typeof given === 'string' ? parseObject(textFromBase64(given)) : (given ?? {});
  if (present === undefined || Array.isArray(present)) return input;
  const { custom = {} } = present as { custom?: unknown };
  if (!isPlainObject(custom)) return input;
  const ClientContext = { ...present, custom: { ...custom, ...carrier } };
  return base64Length(JSON.stringify(ClientContext)) > maxClientContextBytes ? input : { ...input, ClientContext };
}

function base64Length(json: string): number {
  return Math.ceil(new TextEncoder().encode(json).length / 3) * 4;
}
