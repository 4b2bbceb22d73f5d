// #region session
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { createRelay, RelayRefusal, type Relay } from 'rx-lambda-stream/relay';

/** Lets in whoever has a session: `userOf` looks the cookie's value up. */
export function relayForSessions(
  client: LambdaClient,
  userOf: (session: string) => Promise<string | undefined>,
): Relay {
  return createRelay({
    async authorize({ request, functionName, payload }) {
      const [, session = ''] = /(?:^|; )session=([^;]+)/.exec(request.headers.get('cookie') ?? '') ?? [];
      const user = await userOf(session);
      if (user === undefined) throw new RelayRefusal(401, 'Sign in first');
      if (functionName !== 'chat') throw new RelayRefusal(404, 'No such function');
      const input = { FunctionName: 'chat', Payload: payload };
      return { client: user, open: (pauseWhile) => invokeWithResponseStream(client, input, { pauseWhile }) };
    },
  });
}
// #endregion

// #region token
/** Lets in whoever has a token: `verify` checks its signature and its end, as `jwtVerify` of jose does. */
export function relayForTokens(client: LambdaClient, verify: (token: string) => Promise<{ sub: string }>): Relay {
  return createRelay({
    async authorize({ request, functionName, payload }) {
      const [, token = ''] = /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '') ?? [];
      const { sub: user } = await verify(token).catch(() => {
        throw new RelayRefusal(401, 'The token is not valid');
      });
      if (functionName !== 'chat') throw new RelayRefusal(404, 'No such function');
      const input = { FunctionName: 'chat', Payload: payload };
      return { client: user, open: (pauseWhile) => invokeWithResponseStream(client, input, { pauseWhile }) };
    },
  });
}
// #endregion

// #region conversation
/** One conversation for both kinds of clients: `userOf` reads the user from a request's cookie or token. */
export function relayForConversations(
  client: LambdaClient,
  userOf: (request: Request) => Promise<string | undefined>,
): Relay {
  return createRelay({
    async authorize({ request, functionName = 'chat' }) {
      const user = await userOf(request);
      if (user === undefined) throw new RelayRefusal(401, 'Sign in first');
      const [, id] = /^\/conversations\/([\w-]{1,64})(?:\/|$)/.exec(new URL(request.url).pathname) ?? [];
      if (id === undefined || functionName !== 'chat') throw new RelayRefusal(404, 'No such conversation');
      const input = { FunctionName: 'chat', Payload: { id } };
      return {
        client: user,
        key: ['chat', user, id],
        open: (pauseWhile) => invokeWithResponseStream(client, input, { pauseWhile }),
      };
    },
  });
}
// #endregion
