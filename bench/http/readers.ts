import { fetchResponseStream } from 'rx-lambda-stream/http';

/** Reads one HTTP response to its end, and is told of each piece of its body. */
export type HttpReader = (url: string, onBytes: (bytes: Uint8Array) => void) => Promise<void>;

export type HttpReaderName = '`fetchResponseStream`' | '`fetch` with a reader loop';

export const ours = '`fetchResponseStream`' satisfies HttpReaderName;
export const fetchLoop = '`fetch` with a reader loop' satisfies HttpReaderName;

const readers: Readonly<Record<HttpReaderName, HttpReader>> = {
  [ours]: (url, onBytes) =>
    new Promise((complete, error) =>
      fetchResponseStream(url).subscribe({
        next: (event) => {
          if (event.type === 'chunk') onBytes(event.payload);
        },
        complete,
        error,
      }),
    ),

  async [fetchLoop](url, onBytes) {
    const { body } = await fetch(url);
    const reader = body!.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes(value);
    }
  },
};

/** The reader that a measured process was started for. */
export function httpReaderOf(name: string | undefined): HttpReader {
  if (name === undefined || !Object.hasOwn(readers, name)) throw new TypeError(`There is no reader ${name}`);
  return readers[name as HttpReaderName];
}
