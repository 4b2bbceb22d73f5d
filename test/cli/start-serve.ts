import { LambdaClient } from '@aws-sdk/client-lambda';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { collectResponse, invokeWithResponseStream } from 'rx-lambda-stream';
import { firstValueFrom } from 'rxjs';
import { beforeEach, onTestFinished } from 'vitest';
import { startBin, type Bin, type BinOptions } from './run-bin.js';

/** A folder of its own for each test. */
export function useFolder(): {
  readonly folder: () => string;
  /** Writes a file below the folder. Resolves with its path. */
  readonly write: (name: string, text: string) => Promise<string>;
} {
  let folder = '';
  beforeEach(async () => {
    const made = await mkdtemp(join(tmpdir(), 'rx-lambda-stream-'));
    folder = made;
    onTestFinished(() => rm(made, { recursive: true }));
  });
  return {
    folder: () => folder,
    write: async (name, text) => {
      const file = join(folder, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
      return file;
    },
  };
}

/** `serve` on a free port, and a client with the configuration that it prints. */
export interface Served {
  readonly bin: Bin;
  readonly client: LambdaClient;
  readonly endpoint: string;
  /** Resolves with the response of a function as text. */
  readonly text: (functionName: string, payload?: object) => Promise<string>;
}

export async function startServe(args: readonly string[], options?: BinOptions): Promise<Served> {
  const bin = startBin(['serve', ...args, '--port', '0'], options);
  const printed = await bin.printed(/\}\);\n/);
  const pasted = /new LambdaClient\((\{[^]*?\})\);/.exec(printed)?.[1] ?? '';
  const config = JSON.parse(pasted.replaceAll(/(\w+):\s/g, '"$1": ').replaceAll("'", '"')) as { endpoint: string };
  const client = new LambdaClient({ ...config, maxAttempts: 1 });
  onTestFinished(() => client.destroy());
  return {
    bin,
    client,
    endpoint: config.endpoint,
    text: async (FunctionName, Payload = {}) =>
      (
        await firstValueFrom(invokeWithResponseStream(client, { FunctionName, Payload }).pipe(collectResponse()))
      ).text(),
  };
}
