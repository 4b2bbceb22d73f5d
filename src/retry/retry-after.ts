import { asyncScheduler } from 'rxjs';

/**
 * What of an SDK exception, or of an `HttpStatusError`, says when to come back. Header names in lower case, as all HTTP
 * handlers have them.
 */
interface Hinting {
  readonly name?: unknown;
  readonly retryAfterSeconds?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/**
 * How long the service asks to wait, in milliseconds; undefined where it does not, or where the time is over.
 *
 * Read from the exception's `retryAfterSeconds` and from the response's `Retry-After` (both seconds or an HTTP date)
 * and `x-amz-retry-after` (milliseconds). Where they differ, the longest counts.
 *
 * A date is measured from the response's own `Date`, so that the caller's clock does not matter; without one, from
 * RxJS's clock.
 */
export function retryAfter(error: unknown): number | undefined {
  const { name, retryAfterSeconds, $response, headers: own } = error as Hinting;
  const headers = (name === 'HttpStatusError' ? own : $response?.headers) ?? {};
  const base = Date.parse(headers['date'] ?? '') || asyncScheduler.now();
  // Not a date where it is a number: `Date.parse` takes 0 for the year 2000.
  const inMs = (text = ''): number => (isNaN(Number(text)) ? Date.parse(text) - base : Number(text) * 1_000);

  const waits = [inMs(retryAfterSeconds), inMs(headers['retry-after']), Number(headers['x-amz-retry-after'])];
  // `> 0` drops what could not be read (NaN) together with what is over.
  return Math.ceil(Math.max(0, ...waits.filter((wait) => wait > 0))) || undefined;
}
