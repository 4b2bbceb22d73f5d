import { commonHead, type AcceptedInvocation } from './accepted-invocation.js';

/** What a buffered Invoke is answered with. */
export interface BufferedAnswer {
  readonly payload: Uint8Array;
  readonly contentType: string;
  readonly isFailure: boolean;
  readonly logTail: string | undefined;
}

/** Answers a buffered Invoke. */
export async function sendBuffered(invocation: AcceptedInvocation, answer: BufferedAnswer): Promise<void> {
  const { record, writer } = invocation;
  const { payload, contentType, isFailure, logTail } = answer;
  writer.setHead(200, {
    ...commonHead(invocation),
    'content-type': contentType,
    'content-length': String(payload.length),
    'x-amz-function-error': isFailure ? 'Unhandled' : undefined,
    'x-amz-log-result':
      record.logType === 'Tail' && logTail !== undefined ? Buffer.from(logTail).toString('base64') : undefined,
  });
  writer.write(payload);
  await writer.end();
}
