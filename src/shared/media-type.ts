/** Returns the media type of a Content-Type: without parameters, in lower case. */
export function mediaTypeOf(contentType = ''): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}
