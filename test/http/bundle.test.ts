import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

it('a page that streams over HTTP bundles nothing of the SDK, and at most 14 kB of this package', async () => {
  const { outputFiles, metafile, warnings } = await build({
    stdin: {
      contents: `
        export { fetchResponseStream } from './src/http/index.js';
        export { decodeText, parseNdjson, toSnapshots, retryInvocation } from './src/index.js';
      `,
      resolveDir: root,
      loader: 'ts',
    },
    absWorkingDir: root,
    outfile: 'page.js',
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    external: ['rxjs'],
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const [output] = Object.values(metafile.outputs);
  const inputs = Object.entries(output!.inputs).flatMap(([path, { bytesInOutput }]) =>
    bytesInOutput > 0 ? [path] : [],
  );
  expect(warnings).toEqual([]);
  expect(output!.imports.filter(({ path }) => path !== 'rxjs')).toEqual([]);
  expect(inputs.filter((path) => path.includes('node_modules'))).toEqual([]);
  expect(inputs).toContain('src/http/fetch-response-stream.ts');
  const [file] = outputFiles;
  expect(file!.text.match(/aws-sdk|smithy|InvokeWithResponseStreamCommand|\bBuffer\b|\brequire\(/)).toBeNull();
  expect(gzipSync(file!.contents, { level: 9 }).length).toBeLessThanOrEqual(14_000);
});
