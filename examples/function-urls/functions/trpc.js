import { initTRPC } from '@trpc/server';
import { awsLambdaStreamingRequestHandler } from '@trpc/server/adapters/aws-lambda';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

const { router, procedure } = initTRPC.create();

const appRouter = router({
  greet: procedure.input(z.string()).query(({ input }) => `Hello ${input}`),
  count: procedure.input(z.number()).query(async function* ({ input }) {
    for (let n = 1; n <= input; n++) {
      await delay(5);
      yield n;
    }
  }),
  fail: procedure.query(() => {
    throw new Error('out of stock');
  }),
});

export const handler = awslambda.streamifyResponse(
  awsLambdaStreamingRequestHandler({ router: appRouter, createContext: () => ({}) }),
);
