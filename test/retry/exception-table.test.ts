import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as sdk from '@aws-sdk/client-lambda';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { exceptionTable } from '../../src/retry/exception-table.js';
import { serviceException } from '../../src/testing/index.js';

/** What the installed SDK says that the operation throws: the `@throws` lines of its command. */
function exceptionsOfTheOperation(): string[] {
  const require = createRequire(import.meta.url);
  const types = require
    .resolve('@aws-sdk/client-lambda')
    .replace(/dist-cjs.*$/, 'dist-types/commands/InvokeWithResponseStreamCommand.d.ts');
  const names = [...readFileSync(types, 'utf8').matchAll(/@throws \{@link (\w+)\}/g)].map(([, name]) => String(name));
  return names.filter((name) => name !== 'LambdaServiceException');
}

const path = fileURLToPath(new URL('../../src/retry/exception-table.ts', import.meta.url));

/** The last one, whose files are used again. */
let program: ts.Program | undefined;

/** What the compiler says of the table, in this version of its source. */
function compile(source: string): string[] {
  const config = fileURLToPath(new URL('../../tsconfig.json', import.meta.url));
  const { config: json } = ts.readConfigFile(config, (file) => ts.sys.readFile(file)) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(json, ts.sys, dirname(config));
  const host = ts.createCompilerHost(options);
  const readSourceFile = host.getSourceFile.bind(host);
  host.getSourceFile = (file, languageVersion, ...rest) =>
    file === path ? ts.createSourceFile(file, source, languageVersion) : readSourceFile(file, languageVersion, ...rest);
  program = ts.createProgram([path], options, host, program);
  return program
    .getSemanticDiagnostics(program.getSourceFile(path))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

describe('the table of exceptions', () => {
  it('has exactly the exceptions that the installed SDK has for the operation', () => {
    const names = exceptionsOfTheOperation();
    expect(names).toHaveLength(40);
    expect(Object.keys(exceptionTable).sort()).toEqual(names.sort());
  });

  it('has only names for which the installed SDK has a class', () => {
    for (const name of Object.keys(exceptionTable)) {
      expect(sdk, name).toHaveProperty(name);
      expect(serviceException(name)).toBeInstanceOf(sdk[name as 'ServiceException']);
    }
  });

  it('says of EFSIOException alone that the function may have run', () => {
    const mayHaveRun = Object.entries(exceptionTable).filter(([, kind]) => kind.mayHaveRun);
    expect(mayHaveRun.map(([name]) => name)).toEqual(['EFSIOException']);
  });

  it('needs no class of the SDK at run time', () => {
    const source = readFileSync(path, 'utf8');
    expect([...source.matchAll(/^import (.*)$/gm)].map(([, what]) => what)).toEqual([
      "type * as Sdk from '@aws-sdk/client-lambda';",
    ]);
  });

  it('does not compile without a name that the SDK has', { timeout: 60_000 }, () => {
    const source = readFileSync(path, 'utf8');
    expect(compile(source)).toEqual([]);
    const [error] = compile(source.replace(/^ {2}EFSIOException: .*$/m, ''));
    expect(error).toContain("Property 'EFSIOException' is missing");
    // An older SDK lacks some of the table's names.
    expect(compile(source.replace(/^ {2}EFSIOException: /m, '  FutureException: soon,\n$&'))).toEqual([]);
  });
});
