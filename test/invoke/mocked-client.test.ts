import {
  InvokeWithResponseStreamCommand,
  LambdaClient,
  TooManyRequestsException,
  type InvokeWithResponseStreamCommandOutput,
  type InvokeWithResponseStreamResponseEvent,
} from '@aws-sdk/client-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { take } from 'rxjs';
import {
  FunctionError,
  invokeWithResponseStream,
  TruncatedStreamError,
  type LambdaStreamClient,
} from 'rx-lambda-stream';
import { describe, expect, it } from 'vitest';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';
import { gate } from '../support/live.js';
import { expectNoStrays } from '../support/no-strays.js';

expectNoStrays();

const input = { FunctionName: 'f' };
const bytes = (text: string): Uint8Array => Buffer.from(text);

async function* play(
  ...events: (InvokeWithResponseStreamResponseEvent | Error)[]
): AsyncGenerator<InvokeWithResponseStreamResponseEvent> {
  for (const event of events) {
    await Promise.resolve();
    if (event instanceof Error) throw event;
    yield event;
  }
}

const whole = (): AsyncGenerator<InvokeWithResponseStreamResponseEvent> =>
  play(
    { PayloadChunk: { Payload: bytes('hello ') } },
    { PayloadChunk: { Payload: bytes('€') } },
    { InvokeComplete: {} },
  );

function clientThatAnswers(output: Partial<InvokeWithResponseStreamCommandOutput>): LambdaStreamClient {
  return { send: () => Promise.resolve({ $metadata: {}, ...output }) };
}

describe('aws-sdk-client-mock', () => {
  it('works on a client', async () => {
    const client = new LambdaClient({ region: 'us-east-1' });
    const mock = mockClient(client);
    mock.on(InvokeWithResponseStreamCommand, { FunctionName: 'f' }).resolves({
      StatusCode: 200,
      ExecutedVersion: '3',
      ResponseStreamContentType: 'text/plain',
      EventStream: whole(),
      $metadata: { requestId: 'id' },
    });
    const { values, completed } = await outcomeOf(invokeWithResponseStream(client, { ...input, Payload: { a: 1 } }));
    expect(completed).toBe(true);
    expect(values[0]).toMatchObject({
      type: 'head',
      statusCode: 200,
      executedVersion: '3',
      contentType: 'text/plain',
      requestId: 'id',
    });
    expect([typesOf(values), textOf(values)]).toEqual(['head chunk chunk complete', 'hello €']);
    expect(mock.commandCalls(InvokeWithResponseStreamCommand)[0]?.args[0].input).toEqual({
      FunctionName: 'f',
      Payload: new TextEncoder().encode('{"a":1}'),
    });
  });

  it('works on the class', async () => {
    const mock = mockClient(LambdaClient);
    try {
      mock.on(InvokeWithResponseStreamCommand).resolves({ EventStream: whole() });
      const { values } = await outcomeOf(invokeWithResponseStream(new LambdaClient({ region: 'us-east-1' }), input));
      expect(textOf(values)).toBe('hello €');
    } finally {
      mock.restore();
    }
  });

  it('rejects with what it was told', async () => {
    const mock = mockClient(LambdaClient);
    try {
      const exception = new TooManyRequestsException({ message: 'slow down', $metadata: {} });
      mock.on(InvokeWithResponseStreamCommand).rejects(exception);
      const { error } = await outcomeOf(invokeWithResponseStream(new LambdaClient({ region: 'us-east-1' }), input));
      expect(error).toBe(exception);
    } finally {
      mock.restore();
    }
  });
});

describe('a hand-made client', () => {
  it('needs nothing but send', async () => {
    const { values, completed } = await outcomeOf(
      invokeWithResponseStream(clientThatAnswers({ EventStream: whole() }), input),
    );
    expect([typesOf(values), completed]).toEqual(['head chunk chunk complete', true]);
    expect(values.flatMap((event) => (event.type === 'chunk' ? [event.payload.constructor] : []))).toEqual([
      Uint8Array,
      Uint8Array,
    ]);
  });

  it('may throw instead of rejecting', async () => {
    const client: LambdaStreamClient = {
      send: () => {
        throw new Error('no network here');
      },
    };
    expect((await outcomeOf(invokeWithResponseStream(client, input))).error).toEqual(new Error('no network here'));
  });

  it.each([
    ['no InvokeComplete', play({ PayloadChunk: { Payload: bytes('ab') } }), { chunks: 1, bytes: 2 }],
    ['no stream at all', undefined, { chunks: 0, bytes: 0 }],
    [
      'an error mid-stream',
      play({ PayloadChunk: { Payload: bytes('ab') } }, new Error('reset')),
      { chunks: 1, bytes: 2 },
    ],
  ])('with %s is a TruncatedStreamError', async (_what, EventStream, counts) => {
    const output = EventStream === undefined ? {} : { EventStream };
    const { error } = await outcomeOf(invokeWithResponseStream(clientThatAnswers(output), input));
    expect(error).toBeInstanceOf(TruncatedStreamError);
    expect(error).toMatchObject(counts);
  });

  it('with a service exception mid-stream passes it on', async () => {
    const exception = new TooManyRequestsException({ message: 'slow down', $metadata: {} });
    const client = clientThatAnswers({ EventStream: play(exception) });
    expect((await outcomeOf(invokeWithResponseStream(client, input))).error).toBe(exception);
  });

  it('with an ErrorCode is a FunctionError, or an event', async () => {
    const failed = (): LambdaStreamClient =>
      clientThatAnswers({ EventStream: play({ InvokeComplete: { ErrorCode: 'Unhandled', ErrorDetails: 'x' } }) });
    expect((await outcomeOf(invokeWithResponseStream(failed(), input))).error).toBeInstanceOf(FunctionError);
    const { values } = await outcomeOf(invokeWithResponseStream(failed(), input, { functionErrors: 'emit' }));
    expect(values.at(-1)).toEqual({ type: 'complete', errorCode: 'Unhandled', errorDetails: 'x' });
  });

  it('with a 204 completes after the head', async () => {
    const { values, completed } = await outcomeOf(
      invokeWithResponseStream(clientThatAnswers({ StatusCode: 204 }), input),
    );
    expect([typesOf(values), completed]).toEqual(['head', true]);
  });

  it('passes events on that it does not know', async () => {
    const client = clientThatAnswers({ EventStream: play({ $unknown: ['Progress', {}] }, { InvokeComplete: {} }) });
    const { values } = await outcomeOf(invokeWithResponseStream(client, input));
    expect(values[1]).toMatchObject({ type: 'unknown', eventType: 'Progress' });
  });

  it('has its iterator returned when the stream is left', async () => {
    const { opened: closed, open: close } = gate();
    async function* endless(): AsyncGenerator<InvokeWithResponseStreamResponseEvent> {
      try {
        for (;;) {
          await Promise.resolve();
          yield { PayloadChunk: { Payload: bytes('more') } };
        }
      } finally {
        close();
      }
    }
    const { values } = await outcomeOf(
      invokeWithResponseStream(clientThatAnswers({ EventStream: endless() }), input).pipe(take(3)),
    );
    await closed;
    expect(typesOf(values)).toBe('head chunk chunk');
  });
});
