import type { TestProject } from 'vitest/node';
import { installAwslambda, scripted, startLocalLambda, type LocalFunction } from '../../src/local/index.js';
import { startControlServer } from '../support/browser-control-server.js';
import { decodeJson } from '../support/browser-protocol.js';

/** The functions that every test has; the others it defines itself. */
const functions: Record<string, LocalFunction> = {
  /** Answers with the pieces of wire bytes that its payload holds, each in a write of its own. */
  pieces: scripted(({ payload }) => {
    const pieces = decodeJson(new TextDecoder().decode(payload)) as Uint8Array[];
    return pieces.map((piece) => ({ raw: piece }));
  }),
  'large-a': large,
  'large-b': large,
};

/** Writes so many pieces of 64 KiB, of which each byte is known, as fast as they are read. */
async function* large({ pieces }: { pieces: number }): AsyncGenerator<Uint8Array> {
  const piece = Uint8Array.from({ length: 64 * 1024 }, (_, i) => (i * 13) & 255);
  for (let i = 0; i < pieces; i++) {
    yield piece;
    // A function whose client is gone is not held up by anything any more.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Starts the endpoint that the tests in the browser call, and the server by which they control it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  installAwslambda();
  const { handler } = await import('../../examples/function-url-table/orders.js');
  functions['orders'] = handler;
  const local = await startLocalLambda({ cors: true, functions, functionUrls: true });
  const control = await startControlServer(local, functions);
  project.provide('clientConfig', local.clientConfig);
  project.provide('controlUrl', control.url);
  project.provide('functionUrls', { ...local.functionUrls });
  return async () => {
    await control.close();
    await local.close();
  };
}
