/**
 * Returns the path and query of a request line. A client that takes the server for its proxy sends the whole URL.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#name-request-target
 */
export function originForm(target = ''): string {
  return target.replace(/^https?:\/\/[^/?]*/i, '').replace(/^(?=\?|$)/, '/');
}
