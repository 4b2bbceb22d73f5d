import { from, map, mergeMap, of, toArray, type Observable, type OperatorFunction } from 'rxjs';
import {
  collectResponse,
  createFlowControl,
  decodeHttpResponse,
  decodeText,
  parseNdjson,
  parseSse,
  retryInvocation,
  shareInvocation,
  splitLines,
  toSnapshots,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { chunkEvent, completeEvent, fakeInvoke, headEvent } from 'rx-lambda-stream/testing';
import { describe, expect, it } from 'vitest';
import { marbles } from '../support/marbles.js';

const client = { send: () => Promise.reject(new Error('A fake sends nothing')) };

/** What came before `subscribe` returned. */
function outputAtOnce(source: Observable<unknown>): unknown[] {
  const output: unknown[] = [];
  source.subscribe({ next: (value) => output.push(value), complete: () => output.push('|') }).unsubscribe();
  return output;
}

const pipelines: Record<string, OperatorFunction<LambdaStreamEvent, unknown>> = {
  decodeText: decodeText(),
  splitLines: splitLines(),
  parseNdjson: parseNdjson(),
  parseSse: parseSse(),
  decodeHttpResponse: decodeHttpResponse(),
  collectResponse: collectResponse(),
  toSnapshots: toSnapshots({ intervalMs: 0 }),
  retryInvocation: retryInvocation(),
  shareInvocation: shareInvocation(),
  'createFlowControl().mergeMap': createFlowControl().mergeMap((event) => of(event)),
  'several in a row': (source) => source.pipe(retryInvocation(), shareInvocation(), parseNdjson(), toArray()),
};

describe('no promise stands between fakeInvoke and the output of', () => {
  const response = [headEvent(), chunkEvent('{"a":1}\n'), chunkEvent('data: x\n\n{"b":2}\n'), completeEvent()];
  const ndjson = [headEvent(), chunkEvent('{"a":1}\n{"b"'), chunkEvent(':2}\n'), completeEvent()];

  it.each(Object.entries(pipelines))('%s: all of it comes before subscribe returns', (name, operator) => {
    const events = /parseNdjson|several/.test(name) ? ndjson : response;
    const output = outputAtOnce(fakeInvoke({ f: of(...events) })(client, { FunctionName: 'f' }).pipe(operator));
    expect(output.length).toBeGreaterThan(1);
    expect(output.at(-1)).toBe('|');
  });

  it.each(Object.entries(pipelines))('%s: virtual time sees its end in the frame of the response', (name, operator) => {
    marbles((m) => {
      const [h, a, b, c] = /parseNdjson|several/.test(name) ? ndjson : response;
      const f = m.cold('h-a-b-(c|)', { h, a, b, c } as Record<string, LambdaStreamEvent>);
      const end = fakeInvoke({ f })(client, { FunctionName: 'f' }).pipe(
        operator,
        toArray(),
        map(() => 'end'),
      );
      m.expect(end).toBeObservable('------(e|)', { e: 'end' });
    })();
  });

  it('a pipeline without a promise; one with a promise fails both', () => {
    const withPromise = mergeMap((event: LambdaStreamEvent) => from(Promise.resolve(event)));
    const invocation = fakeInvoke({ f: of(...response) })(client, { FunctionName: 'f' });
    expect(outputAtOnce(invocation.pipe(withPromise))).toEqual([]);
    const asMarbles = marbles((m) => {
      m.expect(
        invocation.pipe(
          withPromise,
          map(() => 'e'),
        ),
      ).toBeObservable('(eeee|)');
    });
    expect(() => void asMarbles()).toThrow();
  });
});
