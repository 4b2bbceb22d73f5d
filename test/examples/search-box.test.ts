import { map } from 'rxjs';
import type { LambdaStreamClient, LambdaStreamEvent } from 'rx-lambda-stream';
import { chunkEvent, completeEvent, fakeInvoke, headEvent, serviceException } from 'rx-lambda-stream/testing';
import { describe, expect, test } from 'vitest';
import { searchBox, type SearchState } from '../../examples/search-box.js';
import { configure } from 'rxjs-marbles';

/** Written out here, because readers of the package get this file alone: strict equality, as in all marble tests. */
const { marbles } = configure({
  assertDeepEqual: (actual, expected) => expect(actual).toStrictEqual(expected),
  frameworkMatcher: true,
});

/** Never asked: the fake answers in its place. */
const client = {} as LambdaStreamClient;

const values = { h: headEvent(), a: chunkEvent('one '), b: chunkEvent('two'), c: completeEvent() };
const throttled = serviceException('TooManyRequestsException');

/** A state in a few words. */
const words = map((state: SearchState) => (state === undefined ? 'nothing' : `${state.status}: ${state.text}`));

const shown = {
  n: 'nothing',
  s: 'connecting: ',
  r: 'retrying: ',
  t: 'streaming: ',
  u: 'streaming: one ',
  v: 'streaming: one two',
  w: 'complete: one two',
  x: 'complete: two',
  y: 'streaming: two',
  f: 'failed: ',
};

describe('the search box', () => {
  test(
    'asks once typing pauses for 200 ms, and shows the answer as it streams in',
    marbles((m) => {
      const typed = m.cold('  l-a-m-b');
      const answer = m.cold<LambdaStreamEvent>('h 49ms a 49ms b 49ms (c|)', values);
      const subscription = '  206ms ^ 149ms !';
      const result = '        206ms s 15ms t 33ms u 49ms v 49ms w';

      const invoke = fakeInvoke({ search: answer });
      const query = typed.pipe(map((_, index) => ' lamb'.slice(0, index + 2)));
      m.expect(searchBox(query, client, invoke).pipe(words)).toBeObservable(result, shown);
      m.expect(answer).toHaveSubscriptions(subscription);
      m.flush();
      expect(invoke.inputs).toEqual([{ FunctionName: 'search', Payload: { query: 'lamb' } }]);
    }),
  );

  test(
    'cancels the answer to the query before, in the frame in which the next one is asked',
    marbles((m) => {
      const typed = m.cold('a 299ms b');
      const first = m.cold<LambdaStreamEvent>('h 99ms a 99ms b 999ms (c|)', values);
      const second = m.cold<LambdaStreamEvent>('h 99ms (bc|)', values);
      const result = '200ms s 15ms t 83ms u 99ms v 99ms s 15ms t 83ms (yx)';

      const invoke = fakeInvoke({ search: ({ attempt }) => (attempt === 1 ? first : second) });
      m.expect(searchBox(typed, client, invoke).pipe(words)).toBeObservable(result, shown);
      m.expect(first).toHaveSubscriptions('200ms ^ 299ms !');
      m.expect(second).toHaveSubscriptions('500ms ^ 99ms !');
    }),
  );

  test(
    'tries a throttled query again after 100 and 200 ms, and shows that it does',
    marbles((m) => {
      const typed = m.cold('a');
      const refused = m.cold<LambdaStreamEvent>('10ms #', {}, throttled);
      const answered = m.cold<LambdaStreamEvent>('h 9ms (bc|)', values);
      const result = '200ms s 15ms r 103ms r 199ms t 9ms x';

      const invoke = fakeInvoke({ search: ({ attempt }) => (attempt < 3 ? refused : answered) });
      m.expect(searchBox(typed, client, invoke).pipe(words)).toBeObservable(result, shown);
      m.expect(refused).toHaveSubscriptions(['200ms ^ 9ms !', '310ms ^ 9ms !']);
      m.expect(answered).toHaveSubscriptions('520ms ^ 9ms !');
    }),
  );

  test(
    'sends no further attempt of a query that was replaced while it waited',
    marbles((m) => {
      const typed = m.cold('a 259ms b');
      const refused = m.cold<LambdaStreamEvent>('10ms #', {}, throttled);
      const answered = m.cold<LambdaStreamEvent>('h 9ms (bc|)', values);
      const result = '200ms s 15ms r 103ms r 139ms s 9ms x';

      const invoke = fakeInvoke({ search: ({ attempt }) => (attempt < 3 ? refused : answered) });
      m.expect(searchBox(typed, client, invoke).pipe(words)).toBeObservable(result, shown);
      m.flush();
      expect(invoke.inputs.map(({ Payload }) => Payload)).toEqual([{ query: 'a' }, { query: 'a' }, { query: 'b' }]);
      expect(invoke.invocations.map(({ subscribedFrame }) => subscribedFrame)).toEqual([200, 310, 460]);
    }),
  );

  test(
    'shows a failure, and answers the next query',
    marbles((m) => {
      const typed = m.cold('a 499ms b');
      const denied = m.cold<LambdaStreamEvent>('10ms #', {}, serviceException('ResourceNotFoundException'));
      const answered = m.cold<LambdaStreamEvent>('h 9ms (bc|)', values);
      const result = '200ms s 9ms f 489ms s 9ms x';

      const invoke = fakeInvoke({ search: ({ attempt }) => (attempt === 1 ? denied : answered) });
      m.expect(searchBox(typed, client, invoke).pipe(words)).toBeObservable(result, shown);
    }),
  );

  test(
    'shows nothing for an emptied box, and closes the connection',
    marbles((m) => {
      const typed = m.cold('a 299ms b', { a: 'a', b: '  ' });
      const answer = m.cold<LambdaStreamEvent>('h', values);
      const result = '200ms s 15ms t 283ms n';

      const invoke = fakeInvoke({ search: answer });
      m.expect(searchBox(typed, client, invoke).pipe(words)).toBeObservable(result, shown);
      m.expect(answer).toHaveSubscriptions('200ms ^ 299ms !');
    }),
  );
});
