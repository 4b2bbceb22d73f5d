import { experimental_streamedQuery as streamedQuery, useQuery } from '@tanstack/react-query';
import { decodeText, toAsyncIterable } from 'rx-lambda-stream';
import { relayedInvoke } from 'rx-lambda-stream/http';
import { defer, fromEvent, of, takeUntil } from 'rxjs';

const invoke = relayedInvoke({ url: '/api' });

const answerTo = (prompt) => ({
  queryKey: ['answer', prompt],
  queryFn: streamedQuery({
    streamFn: ({ signal }) =>
      toAsyncIterable((pauseWhile) =>
        invoke(undefined, { FunctionName: 'chat', Payload: { prompt } }, { pauseWhile }).pipe(
          decodeText(),
          takeUntil(defer(() => (signal.aborted ? of(signal) : fromEvent(signal, 'abort')))),
        ),
      ),
    reducer: (text, more) => text + more,
    initialValue: '',
  }),
});

export function Answer({ prompt }) {
  const { data = '', status, fetchStatus } = useQuery(answerTo(prompt));
  const end = status === 'success' ? 'complete' : 'failed';
  return <output className={fetchStatus === 'fetching' ? 'streaming' : end}>{data}</output>;
}
