import type { LocalClientConfig, ScriptStep } from 'rx-lambda-stream/local';

declare module 'vitest' {
  /** What the global setup hands to the tests in the browser. */
  interface ProvidedContext {
    clientConfig: LocalClientConfig;
    controlUrl: string;
    /** The function URLs of the functions that every test has, by name. */
    functionUrls: Record<string, string>;
  }
}

/** A script's step as a page can write it: it waits for a gate, which the page opens by name. */
export type BrowserStep = Exclude<ScriptStep, { readonly waitFor: unknown }> | { readonly gate: string };

/** What the page is told of a request that the endpoint received. */
export interface RequestReport {
  /** The request body, as text. */
  readonly payload: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Bytes of response body handed to the connection so far. */
  readonly bytesWritten: number;
}

/** JSON in which bytes survive. */
export function encodeJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    member instanceof Uint8Array
      ? { base64: btoa(Array.from(member, (byte) => String.fromCharCode(byte)).join('')) }
      : member,
  );
}

/** Reads what {@link encodeJson} wrote. */
export function decodeJson(text: string): unknown {
  return JSON.parse(text, (_key, member: unknown) => {
    if (typeof member !== 'object' || member === null || !('base64' in member)) return member;
    return Uint8Array.from(atob(String(member.base64)), (character) => character.charCodeAt(0));
  });
}
