import { LambdaClient } from '@aws-sdk/client-lambda';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { createRelay, RelayRefusal } from 'rx-lambda-stream/relay';

/** Relays one report to all who ask for it. A middleware, since Nest's `@Sse()` knows no backpressure. */
@Injectable()
export class ReportsRelay implements OnApplicationShutdown {
  constructor(@Inject(LambdaClient) private readonly client: LambdaClient) {}

  private readonly relay = createRelay({
    authorize: ({ request }) => {
      const [, id] = /^\/reports\/([\w-]{1,64})$/.exec(new URL(request.url).pathname) ?? [];
      if (id === undefined) throw new RelayRefusal(404, 'No such report');
      const input = { FunctionName: 'report', Payload: { id } };
      return {
        key: ['report', id],
        open: (pauseWhile) => invokeWithResponseStream(this.client, input, { pauseWhile }),
      };
    },
  });

  readonly listener = this.relay.listener;

  onApplicationShutdown(): Promise<void> {
    return this.relay.close();
  }
}
