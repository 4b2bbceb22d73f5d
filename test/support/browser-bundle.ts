import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Message } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What an application has anyway, and the package does not bring. */
const peers = ['rxjs', '@aws-sdk/client-lambda', '@angular/core'];

export interface BrowserBundleOptions {
  /** Leaves the peers out. @defaultValue `true` */
  readonly excludePeers?: boolean;
  /** More code of the application. */
  readonly application?: string;
}

/** Code bundled and minified for browsers. */
export interface BrowserBundle {
  readonly code: string;
  /** The length of `code` after gzip, in bytes. */
  readonly gzipBytes: number;
  /** The files of which code is in the bundle, relative to the package's root, in order. */
  readonly inputs: readonly string[];
  readonly warnings: readonly Message[];
}

/** Bundles what an application gets that imports these names from the package, and nothing else of it. */
export async function bundleForBrowser(
  names: readonly string[],
  { excludePeers = true, application = '' }: BrowserBundleOptions = {},
): Promise<BrowserBundle> {
  const { outputFiles, metafile, warnings } = await build({
    stdin: {
      contents: `export { ${names.join(', ')} } from './src/index.js';\n${application}`,
      resolveDir: root,
      sourcefile: 'application.ts',
      loader: 'ts',
    },
    absWorkingDir: root,
    outfile: 'application.js',
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    external: excludePeers ? peers : [],
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const [file] = outputFiles;
  const [output] = Object.values(metafile.outputs);
  if (file === undefined || output === undefined) throw new Error('esbuild wrote no bundle');
  return {
    code: file.text,
    gzipBytes: gzipSync(file.contents, { level: 9 }).length,
    inputs: Object.entries(output.inputs)
      .filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && path !== 'application.ts')
      .map(([path]) => path)
      .sort(),
    warnings,
  };
}
