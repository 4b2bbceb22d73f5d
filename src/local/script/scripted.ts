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
  /** These bytes, without a frame. */
  | { readonly raw: string | Uint8Array }
  /** A chunk frame in which this checksum is wrong. */
  | { readonly badCrc: 'prelude' | 'message' }
  /** The prelude of a frame with this total length. Nothing follows it. */
  | { readonly bogusLength: number };

/** One step of a {@link scripted} function, as plain data. */
export type ScriptStep =
  | ByteStep
  /** The bytes of several steps in one write. */
  | { readonly batch: readonly ByteStep[] }
  /** Waits, in milliseconds. */
  | { readonly waitMs: number }
  /** Waits until the promise settles. */
  | { readonly waitFor: Promise<unknown> }
  /**
   * Answers with an HTTP error instead of a stream. The only step. An object as body is added to `Type` and message.
   */
  | {
      readonly httpError: {
        readonly statusCode: number;
        readonly name?: string;
        readonly message?: string;
        readonly headers?: Readonly<Record<string, string>>;
        readonly body?: object | string;
      };
    }
  /** Changes the response's head and sends it at once. First step only. `undefined` removes a header. */
  | {
      readonly head: {
        readonly statusCode?: number;
        readonly headers?: Readonly<Record<string, string | undefined>>;
      };
    }
  /** Sends the response's head now. */
  | 'flush'
  /** Breaks the connection with a TCP reset. Last step only. */
  | 'reset'
  /** Ends the HTTP response. Last step only. */
  | 'end'
  /** Sends nothing more until the client goes or the endpoint closes. Last step only. */
  | 'stall';

/** The steps of a script, or a function that returns them for each request. The first request is attempt 1. */
export type Script = readonly ScriptStep[] | ((request: LocalRequest, attempt: number) => readonly ScriptStep[]);

/** A function of the local endpoint that follows a script. Made by {@link scripted}. */
export interface ScriptedFunction {
  readonly kind: 'scripted';
  readonly script: Script;
}

/**
 * Makes a function whose response follows a script to the byte: good and bad frames, failures, waits.
 *
 * A script sends only what its steps say. After the last step the HTTP response ends cleanly, so that a complete stream
 * needs its own `{ complete: {} }`. Each step is a write of its own. `{ batch }` joins several steps into one write.
 *
 * @example
 * const flaky = scripted((_request, attempt) =>
 *   attempt < 3
 *     ? [{ httpError: { statusCode: 429, name: 'TooManyRequestsException', headers: { 'retry-after': '1' } } }]
 *     : [{ chunk: 'at last' }, { complete: {} }],
 * );
 *
 * @throws TypeError for an unknown step, and for a step in a place where it has no meaning.
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
/** The steps after which no other step is played. */
const lastSteps = new Set(['httpError', 'reset', 'end', 'stall']);

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
    if (lastSteps.has(name) && index < steps.length - 1) {
      throw new TypeError(`Script step ${index}: ${name} must be the last step, because none is played after it`);
    }
    // The promise may reject before its step is played. The step only waits for it to settle.
    if (typeof step === 'object' && 'waitFor' in step) step.waitFor.catch(() => undefined);
    if (typeof step === 'object' && 'batch' in step) {
      const other = step.batch.map((inner) => stepName(inner)).find((inner) => !byteKeys.has(inner));
      if (other !== undefined) throw new TypeError(`Script step ${index}: a batch holds bytes only, not ${other}`);
    }
  });
}

/** Returns the word or the key that names a step. */
function stepName(step: ScriptStep): string {
  if (typeof step === 'string') return step;
  return Object.keys(step).find((key) => byteKeys.has(key) || otherKeys.has(key)) ?? JSON.stringify(step);
}
