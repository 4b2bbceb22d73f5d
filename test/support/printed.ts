import type { Readable } from 'node:stream';

/**
 * Resolves with the first match in what a process prints. Rejects where its output ends before.
 *
 * The output is read on afterwards: `for await` would close it, and the process dies of its next line then.
 */
export function printed({ stdout }: { readonly stdout: Readable }, sought: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let output = '';
    stdout.on('data', (piece: Buffer) => {
      output += piece.toString();
      const match = sought.exec(output);
      if (match) resolve(match);
    });
    stdout.on('end', () => reject(new Error(`The process ended without ${sought}: ${output}`)));
  });
}
