import type { FrameHeaders, InvocationEnd } from '../invocation/encode-frames.js';
import type { LocalRequest } from '../http/local-request.js';

/** A step that puts bytes on the wire. */
export type ByteStep =
  /** A PayloadChunk frame. */
  | { readonly chunk: string | Uint8Array }
  /** An InvokeComplete frame. */
  | { readonly complete: InvocationEnd }
  /** An exception within the stream (`:message-type: exception`), with this body as JSON. */
  | { readonly exception: string; readonly body?: object }
  /** An unmodelled error within the stream (`:message-type: error`). */
  | { readonly errorFrame: { readonly code: string; readonly message: string } }
  /** An event of a type that the client does not know. */
  | {
      readonly unknownEvent: {
        readonly eventType: string;
        readonly payload?: string | Uint8Array;
        readonly headers?: FrameHeaders;
      };
    }
  /** Any message, through AWS's codec. */
  | { readonly frame: { readonly headers: FrameHeaders; readonly payload?: string | Uint8Array } }
  /** These bytes, in no frame. */
  | { readonly raw: string | Uint8Array }
  /** A chunk frame with that checksum broken. */
  | { readonly badCrc: 'prelude' | 'message' }
  /** The prelude of a frame with this total length, and nothing after it. */
  | { readonly bogusLength: number };

/** One thing that a {@link scripted} function does. Plain data. */
export type ScriptStep =
  | ByteStep
  /** The bytes of several steps in one write. */
  | { readonly batch: readonly ByteStep[] }
  /** Nothing for so many milliseconds. */
  | { readonly waitMs: number }
  /** Nothing until the promise settles. */
  | { readonly waitFor: Promise<unknown> }
  /** First step only: an HTTP error in place of a stream. A body object is added to `Type` and the message. */
  | {
      readonly httpError: {
        readonly statusCode: number;
        readonly name?: string;
        readonly message?: string;
        readonly headers?: Readonly<Record<string, string>>;
        readonly body?: object | string;
      };
    }
  /** First step only: changes the response's head (undefined removes a header) and sends it at once. */
  | {
      readonly head: {
        readonly statusCode?: number;
        readonly headers?: Readonly<Record<string, string | undefined>>;
      };
    }
  /** Sends the response's head now. */
  | 'flush'
  /** Breaks the connection with a TCP reset. */
  | 'reset'
  /** Ends the HTTP response. */
  | 'end'
  /** Nothing more, until the client goes or the endpoint closes. */
  | 'stall';

/** The steps of a script, or a function that picks them for each request; `attempt` is 1 for the function's first. */
export type Script = readonly ScriptStep[] | ((request: LocalRequest, attempt: number) => readonly ScriptStep[]);

/** A function of the local endpoint that follows a script. Made by {@link scripted}. */
export interface ScriptedFunction {
  readonly kind: 'scripted';
  readonly script: Script;
}

/**
 * A function whose response follows a script, to the byte: good and bad frames, failures, waits.
 *
 * A script sends what it says and no more: after the last step the HTTP response ends cleanly, so a complete stream
 * needs its own `{ complete: {} }`. Each step is a write of its own; `{ batch }` joins several.
 *
 * @example
 * const flaky = scripted((_request, attempt) =>
 *   attempt < 3
 *     ? [{ httpError: { statusCode: 429, name: 'TooManyRequestsException', headers: { 'retry-after': '1' } } }]
 *     : [{ chunk: 'at last' }, { complete: {} }],
 * );
 *
 * @throws TypeError for an unknown step, or one in a place where it has no meaning.
 */
export function scripted(script: Script): ScriptedFunction {
  if (typeof script !== 'function') assertScript(script);
  return { kind: 'scripted', script };
}

const stepNames = new Set(['flush', 'reset', 'end', 'stall']);
const byteKeys = new Set([
  'chunk',
  'complete',
  'exception',
  'errorFrame',
  'unknownEvent',
  'frame',
  'raw',
  'badCrc',
  'bogusLength',
]);
const otherKeys = new Set(['batch', 'waitMs', 'waitFor', 'httpError', 'head']);

/** @throws TypeError for an unknown step, or one in a place where it has no meaning. */
export function assertScript(steps: readonly ScriptStep[]): void {
  const given: unknown = steps;
  if (!Array.isArray(given)) throw new TypeError('A script must be an array of steps');
  steps.forEach((step, index) => {
    const name = stepName(step);
    const isKey = byteKeys.has(name) || otherKeys.has(name);
    if (typeof step === 'string' ? !stepNames.has(name) : !isKey) {
      const hint = isKey ? `; as in { ${name}: … }` : '';
      throw new TypeError(`Script step ${index} is unknown: ${name}${hint}`);
    }
    if ((name === 'httpError' || name === 'head') && index > 0) {
      throw new TypeError(`Script step ${index}: ${name} must be the first step`);
    }
    // It may reject before the script gets to it, and settled is settled.
    if (typeof step === 'object' && 'waitFor' in step) step.waitFor.catch(() => undefined);
    if (typeof step === 'object' && 'batch' in step) {
      const other = step.batch.map((inner) => stepName(inner)).find((inner) => !byteKeys.has(inner));
      if (other !== undefined) throw new TypeError(`Script step ${index}: a batch holds bytes only, not ${other}`);
    }
  });
}

/** The key or word that says what a step does. */
function stepName(step: ScriptStep): string {
  if (typeof step === 'string') return step;
  return Object.keys(step).find((key) => byteKeys.has(key) || otherKeys.has(key)) ?? JSON.stringify(step);
}
