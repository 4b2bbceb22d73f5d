/** One answer for everybody who asks for the same chat, on whichever machine they are. */
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { decodeText, invokeWithResponseStream } from 'rx-lambda-stream';
import { joinInvocation, type InvocationLog } from 'rx-lambda-stream/log';
import type { Observable } from 'rxjs';

// #region join
export function chatText(log: InvocationLog, client: LambdaClient, chatId: string): Observable<string> {
  return joinInvocation(log, `chat:${chatId}`, (pauseWhile) =>
    invokeWithResponseStream(client, { FunctionName: 'chat', Payload: { chatId } }, { pauseWhile }),
  ).pipe(decodeText());
}
// #endregion

// #region deploy
export function closeAtSigterm(log: InvocationLog): void {
  process.once('SIGTERM', () => void log.close());
}
// #endregion
