import {
  decodeText,
  invokeWithResponseStream,
  retryInvocation,
  type InvokeWithResponseStream,
  type LambdaStreamClient,
} from 'rx-lambda-stream';
import { scan, type Observable } from 'rxjs';

/** The answer so far, after each piece of it. A test passes a fake as `invoke`. */
export function answer(
  client: LambdaStreamClient,
  prompt: string,
  invoke: InvokeWithResponseStream = invokeWithResponseStream,
): Observable<string> {
  return invoke(client, { FunctionName: 'chat', Payload: { prompt } }).pipe(
    retryInvocation({ initialDelayMs: 10, jitter: 'none' }),
    decodeText(),
    scan((text, piece) => text + piece),
  );
}
