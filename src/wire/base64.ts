/** Decodes base64 to UTF-8 text; text that is no base64 is returned as it is, so that a log is never lost. */
export function textFromBase64(base64: string): string {
  let binary: string;
  try {
    binary = atob(base64);
  } catch {
    return base64;
  }
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}
