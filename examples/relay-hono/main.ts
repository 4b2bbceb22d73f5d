// npx tsx examples/relay-hono/main.ts, with AWS credentials and a function named chat.
import { LambdaClient } from '@aws-sdk/client-lambda';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { createRelay, RelayRefusal } from 'rx-lambda-stream/relay';

const client = new LambdaClient();
const relay = createRelay<{ user: string | undefined }>({
  authorize({ functionName, payload, context: { user } }) {
    if (user === undefined) throw new RelayRefusal(401, 'Sign in first');
    if (functionName !== 'chat') throw new RelayRefusal(404, 'No such function');
    const input = { FunctionName: 'chat', Payload: payload };
    return { client: user, open: (pauseWhile) => invokeWithResponseStream(client, input, { pauseWhile }) };
  },
});

const app = new Hono();
app.all('/api/*', (c) => relay.fetch(c.req.raw, { user: c.req.header('x-user') }));
serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000), hostname: '127.0.0.1' }, console.log);
