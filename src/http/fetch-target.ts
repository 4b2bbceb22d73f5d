import { checkValue, type OptionRule } from '../shared/check-options.js';

/** What to request: an http(s) URL, relative to the page in a browser, or a `Request`. */
export type FetchTarget = string | URL | Request;

/** A target, or a function that makes one: called once per subscription, so that each attempt can sign anew. */
export type FetchTargetSource = FetchTarget | (() => FetchTarget | PromiseLike<FetchTarget>);

const target: OptionRule = {
  expected: 'a URL, a Request, or a function that makes one',
  isValid: (value) => typeof value === 'string' || value instanceof URL || isRequest(value),
};

/**
 * Refuses a target that can never be requested. What a function makes is checked when it is made.
 *
 * @throws TypeError
 */
export function checkTarget(caller: string, source: unknown): asserts source is FetchTargetSource {
  if (typeof source !== 'function') openTarget(caller, source);
}

/** Asks for the request of one subscription. */
export async function resolveTarget(caller: string, source: FetchTargetSource): Promise<Request> {
  return openTarget(caller, typeof source === 'function' ? await source() : source);
}

function openTarget(caller: string, value: unknown): Request {
  checkValue(caller, 'request', value, target);
  if (!isRequest(value)) return openUrl(caller, value as string | URL);
  if (value.bodyUsed) {
    throw new TypeError(`${caller}: the body of this Request was read already: make a new one for each call`);
  }
  return value;
}

function openUrl(caller: string, url: string | URL): Request {
  try {
    const request = new Request(url);
    // `localhost:3001` is a valid URL too, with the scheme `localhost`.
    if (/^(https?|blob|data):/i.test(request.url)) return request;
  } catch {
    // The platform's own error quotes the URL, whose query may hold a signature. So this message does not quote it.
  }
  throw new TypeError(
    `${caller}: request must be an absolute http or https URL (in a page also a relative one), ` +
      'without user and password',
  );
}

/** Recognises a Request by its members, because `instanceof` fails for a polyfill and for another realm. */
function isRequest(value: unknown): value is Request {
  const { clone, method } = Object(value) as { clone?: unknown; method?: unknown };
  return typeof clone === 'function' && typeof method === 'string';
}
