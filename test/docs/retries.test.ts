/** docs/retries.md: its diagrams, run as they stand there. */
import { runInNewContext } from 'node:vm';
import {
  retryInvocation,
  TruncatedStreamError,
  type LambdaStreamClient,
  type LambdaStreamEvent,
  type RetryEvent,
} from 'rx-lambda-stream';
import { chunkEvent, completeEvent, fakeInvoke, headEvent } from 'rx-lambda-stream/testing';
import { TestScheduler } from 'rxjs/testing';
import { expect, it } from 'vitest';
import { readPage } from './markdown-page.js';

const diagrams = readPage('docs/retries.md').blocks.filter(({ language }) => language === 'text');

/** Reads the page's JavaScript. */
const parse = (code: string): unknown => runInNewContext(`(${code})`);

it('has a diagram for each mode', () => {
  expect(diagrams.map(({ code }) => /mode: '(\w+)'/.exec(code)?.[1])).toEqual(['restart', 'replay', 'continue']);
});

it.each(diagrams.map(({ code }) => [code]))('retryInvocation does\n%s', (code) => {
  const [first = '', second = '', result = ''] = ['first', 'second', 'result'].map(
    (label) => new RegExp(`^${label} +(\\S.*?)(?: {3,}[a-z]: .*)?$`, 'm').exec(code)?.[1] ?? '',
  );
  const [, retry = ''] = / r: (\{.*\})$/m.exec(code) ?? [];
  const stated = parse(retry) as Pick<RetryEvent, 'type' | 'mode' | 'delivered'>;
  const chunks = Object.fromEntries(
    [...code.matchAll(/ ([abd]): ('.*?')(?:,|$)/gm)].map(([, key = '', text = '']) => [
      key,
      chunkEvent(parse(text) as string),
    ]),
  );
  const error = new TruncatedStreamError({ chunks: 2, bytes: 2 });
  const values: Record<string, LambdaStreamEvent> = {
    ...{ h: headEvent(), a: chunkEvent('a'), b: chunkEvent('b'), d: chunkEvent('d'), c: completeEvent(), ...chunks },
    r: { attempt: 2, delayMs: 10, error, ...stated },
  };
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(({ cold, expectObservable }) => {
    const attempts = [cold(first, values, error), cold(second, values)];
    const invoke = fakeInvoke({ f: ({ attempt }) => attempts[attempt - 1]! });
    const options = { idempotent: true, afterFirstChunk: stated.mode as 'restart', initialDelayMs: 10 };
    const events = invoke({} as LambdaStreamClient, { FunctionName: 'f' }).pipe(
      retryInvocation({ ...options, jitter: 'none' }),
    );
    expectObservable(events).toBe(result.replace(/ {2,}/, ' '), values);
  });
});
