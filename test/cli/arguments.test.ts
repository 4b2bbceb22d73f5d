import { describe, expect, test } from 'vitest';
import { exitCodeOf } from '../../src/cli/invoke/exit-code-of.js';
import { parseInvokeArguments } from '../../src/cli/invoke/invoke-arguments.js';
import { parseServeArguments } from '../../src/cli/serve/serve-arguments.js';
import { UsageError } from '../../src/cli/usage-error.js';

test('invoke has defaults for all but the name', () => {
  expect(parseInvokeArguments(['fn'])).toEqual({
    functionName: 'fn',
    payload: undefined,
    mode: 'raw',
    isHttp: false,
    qualifier: undefined,
    withLog: false,
    retries: 0,
    timeoutMs: undefined,
    endpoint: undefined,
    region: undefined,
    profile: undefined,
  });
});

test('serve has defaults for all but the files', () => {
  expect(parseServeArguments(['a.js', 'b.js'])).toEqual({
    files: ['a.js', 'b.js'],
    port: 3001,
    host: '127.0.0.1',
    cors: false,
    timeoutMs: undefined,
    watch: true,
  });
});

describe('what is refused', () => {
  test.each<[string, string[], string]>([
    ['no name', [], 'needs the NAME'],
    ['two names', ['a', 'b'], 'this is too much: b'],
    ['more than stdin', ['a', '-', 'c'], 'this is too much: - c'],
    ['two modes', ['a', '--text', '--sse'], 'Only one of --text, --sse'],
    ['two payloads', ['a', '-', '--payload', '1'], 'more than one payload'],
    ['a payload that is no JSON', ['a', '--payload', '{a:1}'], 'not JSON'],
    ['an endpoint that is no URL', ['a', '--endpoint', 'local host'], 'not a URL'],
    ['a number that is none', ['a', '--retry', 'x'], '--retry needs a whole number'],
    ['a negative time', ['a', '--timeout=-1'], '--timeout needs a whole number'],
    ['an unknown option', ['a', '--colour'], '--colour'],
  ])('invoke: %s', (_name, args, message) => {
    expect(() => parseInvokeArguments(args)).toThrow(UsageError);
    expect(() => parseInvokeArguments(args)).toThrow(message);
  });

  test.each<[string, string[], string]>([
    ['no file', [], 'at least one FILE'],
    ['a port that is none', ['a.js', '--port', '70000'], 'at most 65535'],
    ['an unknown option', ['a.js', '--prot', '1'], '--prot'],
  ])('serve: %s', (_name, args, message) => {
    expect(() => parseServeArguments(args)).toThrow(UsageError);
    expect(() => parseServeArguments(args)).toThrow(message);
  });
});

test.each<[string, object, number]>([
  ['an expired token', { name: 'ExpiredTokenException', $metadata: { httpStatusCode: 403 } }, 4],
  ['an unavailable service', { name: 'ServiceException', $metadata: { httpStatusCode: 500 } }, 5],
  ['a host that is not known', { name: 'Error', code: 'ENOTFOUND' }, 7],
  ['a profile that is not there', { name: 'CredentialsProviderError', message: 'x' }, 7],
  ['a reset before the head', { name: 'Error', code: 'ECONNRESET' }, 6],
  ['something else', new Error('a bug'), 1],
])('%s has its exit code', (_name, error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});
