import { asyncScheduler } from 'rxjs';

/**
 * The fields of an SDK exception, or of an `HttpStatusError`, that can say when to come back. Header names are in lower
 * case, as all HTTP handlers of the SDK give them.
 */
interface Hinting {
  readonly name?: unknown;
  readonly retryAfterSeconds?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/**
 * Returns how long the service asks to wait, in milliseconds, or undefined where it does not ask or the time is over.
 *
 * The wait is read from the exception's `retryAfterSeconds` and the response's `Retry-After` (both are seconds or an
 * HTTP date) and from `x-amz-retry-after` (milliseconds). The longest of them counts.
 *
 * A date is measured from the response's own `Date`, so that the caller's clock does not matter. Without that header it
 * is measured from RxJS's clock.
 */
export function retryAfter(error: unknown): number | undefined {
  const { name, retryAfterSeconds, $response, headers: own } = error as Hinting;
  const headers = (name === 'HttpStatusError' ? own : $response?.headers) ?? {};
  const base = Date.parse(headers['date'] ?? '') || asyncScheduler.now();
  // A number is never a date, although `Date.parse` reads 0 as the year 2000.
  const inMs = (text = ''): number => (isNaN(Number(text)) ? Date.parse(text) - base : Number(text) * 1_000);

  const waits = [inMs(retryAfterSeconds), inMs(headers['retry-after']), Number(headers['x-amz-retry-after'])];
  // `> 0` also drops NaN, which stands for a text that could not be read.
  return Math.ceil(Math.max(0, ...waits.filter((wait) => wait > 0))) || undefined;
}
