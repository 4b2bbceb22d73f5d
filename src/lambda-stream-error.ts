import type { LambdaStreamErrorCode } from './errors.js';

/**
 * Marks the errors of every copy of this package in the process. `instanceof` recognises those of one copy only, and an
 * application may load the ES module and the CommonJS build together.
 */
export const errorBrand: symbol = /* @__PURE__ */ Symbol.for('rx-lambda-stream.error');

/**
 * The base of every error that this package makes itself. What AWS reports (an exception before or within the stream)
 * passes through as the SDK's own exception object, which does not have this base.
 *
 * A message never holds a payload or credentials. The one exception is an excerpt of a record, cut at 200 characters.
 */
export abstract class LambdaStreamError extends Error {
  abstract readonly code: LambdaStreamErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    // Not enumerable: it is no field of the error.
    Object.defineProperty(this, errorBrand, { value: true });
  }
}

/** The longest excerpt of foreign text that an error message may hold, in characters. */
const maxExcerptLength = 200;

export function excerpt(text: string): string {
  return text.length > maxExcerptLength ? `${text.slice(0, maxExcerptLength)}…` : text;
}

/** Sets the fields that have a value, so that an error has no fields that are undefined. */
export function assignDefined(error: Error, fields: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) Object.assign(error, { [name]: value });
  }
}
