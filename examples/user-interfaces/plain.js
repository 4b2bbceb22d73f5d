import { toSnapshots } from 'rx-lambda-stream';
import { relayedInvoke } from 'rx-lambda-stream/http';

const invoke = relayedInvoke({ url: '/api' });

/** Shows an answer in an element, and returns what stops it. */
export function showAnswer(output, prompt) {
  const subscription = invoke(undefined, { FunctionName: 'chat', Payload: { prompt } })
    .pipe(toSnapshots())
    .subscribe(({ status, text }) => {
      output.className = status;
      output.textContent = text;
    });
  return () => subscription.unsubscribe();
}
