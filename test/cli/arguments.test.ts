import { describe, expect, test } from 'vitest';
import { exitCodeOf } from '../../src/cli/invoke/describe-error.js';
import { parseInvokeArguments } from '../../src/cli/invoke/invoke-arguments.js';
import { parseServeArguments } from '../../src/cli/serve/serve-arguments.js';
import { UsageError } from '../../src/cli/command-line.js';

test('invoke has defaults for all but the name', () => {
  expect(parseInvokeArguments(['fn'])).toEqual({
    functionName: 'fn',
    payload: undefined,
    mode: 'raw',
    request: undefined,
    isHttp: false,
    withHead: false,
    failOnStatus: false,
    qualifier: undefined,
    tenantId: undefined,
    withLog: false,
    withStats: false,
    retries: 0,
    timeoutMs: Infinity,
    endpoint: undefined,
    region: undefined,
    profile: undefined,
  });
});

test('serve has defaults for all but the files', () => {
  expect(parseServeArguments(['a.js', 'b.js'])).toEqual({
    targets: ['a.js', 'b.js'],
    port: 3001,
    host: '127.0.0.1',
    allowedHosts: [],
    cors: false,
    urlPort: 0,
    envFiles: [],
    timeoutMs: undefined,
    memoryMb: undefined,
    concurrency: undefined,
    tenantId: undefined,
    initTimeoutMs: 10_000,
    watch: true,
  });
});

test('cors takes origins, and * for every page', () => {
  const cors = (...args: string[]): unknown => parseServeArguments(['a.js', ...args]).cors;
  expect(cors('--cors', 'http://localhost:4200,null', '--cors', 'https://app.example')).toEqual([
    'http://localhost:4200',
    'null',
    'https://app.example',
  ]);
  expect(cors('--cors', '*')).toBe(true);
});

test('Infinity is no limit, in both commands', () => {
  expect(parseInvokeArguments(['fn', '--timeout', 'Infinity', '--retry', 'Infinity'])).toMatchObject({
    timeoutMs: Infinity,
    retries: Infinity,
  });
  const limits = ['--timeout', 'Infinity', '--concurrency', 'Infinity', '--init-timeout', 'Infinity'];
  expect(parseServeArguments(['a.js', ...limits])).toMatchObject({
    timeoutMs: Infinity,
    concurrency: Infinity,
    initTimeoutMs: Infinity,
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
    ['an endpoint that is no URL', ['a', '--endpoint', 'local host'], 'needs a URL that starts with http'],
    ['an endpoint without a scheme', ['a', '--endpoint', 'localhost:3001'], 'Did you mean http://localhost:3001'],
    ['an endpoint of another scheme', ['a', '--endpoint', 'ftp://localhost'], 'needs a URL that starts with http'],
    ['an endpoint without its slashes', ['a', '--endpoint', 'http:localhost'], 'needs a URL that starts with http'],
    ['a file as the AWS CLI names it', ['a', '--payload', 'file://event.json'], '--payload-file event.json'],
    ['bytes of a file as the AWS CLI names it', ['a', '--payload', 'fileb://event.json'], '--payload-file event.json'],
    ['a file as curl names it', ['a', '--payload', '@event.json'], '--payload-file event.json'],
    ['a time over the timer', ['a', '--timeout', '2147483648'], '--timeout must be from 1 to 2147483647'],
    ['a request that is none', ['a', '--request', 'POST hello'], "'METHOD /path'"],
    ['a body without a request', ['a', '--data', '{}'], '--data and --header belong to --request'],
    ['a header that is none', ['a', '--request', '/', '--header', 'nope'], "'name: value'"],
    ['a header with a line break', ['a', '--request', '/', '--header', 'a: b\nc: d'], "'name: value'"],
    ['a request and a payload', ['a', '-', '--request', '/'], 'give the body with --data'],
    ['a number that is none', ['a', '--retry', 'x'], '--retry needs a whole number'],
    ['a negative time', ['a', '--timeout=-1'], '--timeout needs a whole number'],
    ['an unknown option', ['a', '--colour'], '--colour'],
  ])('invoke: %s', (_name, args, message) => {
    expect(() => parseInvokeArguments(args)).toThrow(UsageError);
    expect(() => parseInvokeArguments(args)).toThrow(message);
  });

  test.each<[string, string[], string]>([
    ['no file', [], 'at least one FILE'],
    ['a port that is none', ['a.js', '--port', '70000'], 'from 0 to 65535'],
    ['an unknown option', ['a.js', '--prot', '1'], '--prot'],
    ['cors without an origin', ['a.js', '--cors'], '--cors'],
    ['a file in the place of an origin', ['--cors', 'a.mjs', 'b.mjs'], '--cors needs a URL'],
    ['an origin with a slash', ['a.js', '--cors', 'https://a.example/'], 'https://a.example, not https://a.example/'],
    ['a port for URLs that are not opened', ['a.js', '--no-urls', '--url-port', '1'], 'contradict'],
    ['a tenant that AWS refuses', ['a.js', '--tenant', 'a\tb'], '--tenant must be a tenant ID'],
    ['no memory', ['a.js', '--memory', '0'], '--memory must be a positive number'],
    ['endless memory', ['a.js', '--memory', 'Infinity'], '--memory must be a positive number, not Infinity'],
    [
      'a host name with a port',
      ['a.js', '--allow-host', 'a.example:80'],
      '--allow-host must be an array of host names',
    ],
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
  ['a server that speaks no TLS', { name: 'Error', code: 'EPROTO' }, 7],
  ['a certificate of another host', { name: 'Error', code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 7],
  ['a certificate that nobody signed', { name: 'Error', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 7],
  ['a reset before the head', { name: 'Error', code: 'ECONNRESET' }, 6],
  ['something else', new Error('a bug'), 1],
])('%s has its exit code', (_name, error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});
