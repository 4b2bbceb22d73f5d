/** One rule for the options of all operators: which error, and what its message names. */
import { of, type Observable } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import * as api from '../../src/index.js';

const { createFlowControl, decodeHttpResponse, parseNdjson, parseSse } = api;

type Call = (options: never) => unknown;
const operators = {
  decodeText: api.decodeText,
  splitLines: api.splitLines,
  parseNdjson: api.parseNdjson,
  parseSse: api.parseSse,
  decodeHttpResponse: api.decodeHttpResponse,
  collectResponse: api.collectResponse,
  toSnapshots: api.toSnapshots,
  shareInvocation: api.shareInvocation,
  createFlowControl: api.createFlowControl,
} as unknown as Record<string, Call>;

const limits: readonly (readonly [operator: string, option: string, least: number])[] = [
  ['splitLines', 'maxLineBytes', 1],
  ['parseNdjson', 'maxLineBytes', 1],
  ['parseNdjson', 'maxPendingBytes', 1],
  ['parseSse', 'maxEventBytes', 1],
  ['parseSse', 'maxPendingBytes', 1],
  ['decodeHttpResponse', 'maxErrorBodyBytes', 0],
  ['collectResponse', 'maxBytes', 0],
  ['toSnapshots', 'maxBytes', 0],
  ['shareInvocation', 'maxReplayBytes', 0],
  ['createFlowControl', 'highWaterMark', 1],
];

const call = (operator: string, options: unknown) => (): unknown => operators[operator]?.(options as never);

describe.each(limits)('%s, %s', (operator, option, least) => {
  test('takes whole numbers, and Infinity for no limit', () => {
    for (const value of [least, 1_000, Infinity, undefined]) {
      expect(call(operator, { [option]: value })).not.toThrow();
    }
  });

  test.each([NaN, -1, least - 1, 1.5, -Infinity])('refuses %s as out of range', (value) => {
    expect(call(operator, { [option]: value })).toThrow(
      new RangeError(`${operator}: ${option} must be a whole number from ${least} on, or Infinity, not ${value}`),
    );
  });

  test.each([
    ['10', "'10'"],
    [null, 'null'],
    [true, 'true'],
    [10n, '10'],
    [{}, 'an object'],
  ])('refuses %s as of the wrong type', (value, shown) => {
    expect(call(operator, { [option]: value })).toThrow(
      new TypeError(`${operator}: ${option} must be a whole number from ${least} on, or Infinity, not ${shown}`),
    );
  });
});

describe.each([
  ['toSnapshots', 'intervalMs'],
  ['shareInvocation', 'lingerMs'],
])('%s, %s', (operator, option) => {
  test('takes a delay that timers keep, and never Infinity', () => {
    for (const value of [0, 2 ** 31 - 1]) expect(call(operator, { [option]: value })).not.toThrow();
    for (const value of [-1, NaN, Infinity, 2 ** 31]) {
      expect(call(operator, { [option]: value })).toThrow(RangeError);
    }
    expect(call(operator, { [option]: '16' })).toThrow(
      new TypeError(`${operator}: ${option} must be from 0 to 2147483647 milliseconds, not '16'`),
    );
  });
});

describe.each(Object.keys(operators))('%s', (operator) => {
  test.each([
    ['a schema', z.unknown(), 'a schema'],
    ['a number', 3, '3'],
    ['a word', 'all', "'all'"],
    ['null', null, 'null'],
    ['an array', [], 'an array'],
    ['a function', () => true, 'a function'],
    ['an Observable', of(1) as Observable<unknown>, 'an Observable'],
  ])('refuses %s in place of its options', (_, options, shown) => {
    expect(call(operator, options)).toThrow(TypeError);
    expect(call(operator, options)).toThrow(
      new RegExp(`^${operator}: options must be an object such as .*, not ${shown}$`),
    );
  });
});

test('words and callbacks are checked too', () => {
  const wrong: readonly (readonly [() => unknown, string])[] = [
    [
      call('parseNdjson', { onInvalid: 'ignore' }),
      "parseNdjson: onInvalid must be 'error' or 'skip' or a function, not 'ignore'",
    ],
    [
      call('parseSse', { onInvalid: 'ignore' }),
      "parseSse: onInvalid must be 'error' or 'skip' or a function, not 'ignore'",
    ],
    [call('parseSse', { endMarker: 1 }), 'parseSse: endMarker must be a string, not 1'],
    [call('shareInvocation', { replay: 'some' }), "shareInvocation: replay must be 'all' or 'none', not 'some'"],
    [call('decodeText', { fatal: 'yes' }), "decodeText: fatal must be true or false, not 'yes'"],
    [
      call('decodeHttpResponse', { failOnStatus: 500 }),
      'decodeHttpResponse: failOnStatus must be true or false, or a function, not 500',
    ],
    [
      () => createFlowControl().mergeMap(3 as never),
      'mergeMap of createFlowControl: project must be a function, not 3',
    ],
  ];
  for (const [act, message] of wrong) expect(act).toThrow(new TypeError(message));
  expect(() => decodeHttpResponse({ failOnStatus: () => true })).not.toThrow();
});

test('a schema that is undefined, or not a schema, is refused, because nothing would be validated', () => {
  const message = (name: string, shown: string): TypeError =>
    new TypeError(`${name}: schema must be a Standard Schema (zod, valibot, arktype), not ${shown}`);
  expect(() => parseNdjson({ schema: undefined as never })).toThrow(message('parseNdjson', 'undefined'));
  expect(() => parseSse({ schema: undefined as never })).toThrow(message('parseSse', 'undefined'));
  expect(() => parseNdjson({ schema: { parse: JSON.parse } as never })).toThrow(message('parseNdjson', 'an object'));
  expect(() => parseNdjson({ schema: JSON.parse as never })).toThrow(message('parseNdjson', 'a function'));
});
