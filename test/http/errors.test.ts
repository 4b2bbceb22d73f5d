import { inspect } from 'node:util';
import { classifyInvocationError } from 'rx-lambda-stream';
import { expect, it } from 'vitest';
import { fetchResponseStream, type FetchTargetSource } from 'rx-lambda-stream/http';
import { outcomeOf } from '../support/collect.js';
import { refusingUrl, reset, startHttp } from '../support/live-http.js';
import { expectNoStrays } from '../support/no-strays.js';

expectNoStrays();

/** Everything that a log could print of an error, its causes included. */
const shown = (error: unknown): string => inspect(error, { depth: 10, showHidden: true, getters: true });

it('no error tells the URL, its query or the request’s headers', async () => {
  const server = await startHttp((response, { url }) => {
    if (url.startsWith('/status')) response.writeHead(403).end('no');
    else if (url.startsWith('/cut')) response.write('one', () => reset(response));
    else reset(response);
  });
  const requestOf = (path: string): Request =>
    new Request(`${server.url}${path}?X-Amz-Signature=secret`, { headers: { authorization: 'Bearer secret' } });
  const targets: [string, FetchTargetSource][] = [
    ['status', requestOf('status-secret')],
    ['cut', requestOf('cut-secret')],
    ['reset', requestOf('reset-secret')],
    ['refused', `${await refusingUrl()}secret`],
    ['a port that fetch refuses', 'http://127.0.0.1:1/secret'],
    ['unknown scheme', () => 'secret://host/'],
    ['credentials', () => 'http://secret:secret@127.0.0.1:1/'],
    ['no URL', () => 'http://secret:port/'],
  ];
  for (const [what, target] of targets) {
    const { error } = await outcomeOf(fetchResponseStream(target));
    expect(error).toBeInstanceOf(Error);
    expect([what, shown(error)]).not.toEqual([what, expect.stringContaining('secret')]);
  }
});

it('classifyInvocationError tells what was never sent from what may have run', async () => {
  const server = await startHttp((response, { url }) => {
    if (url === '/cut') response.write('one', () => reset(response));
    else reset(response);
  });
  const classOf = async (url: string): Promise<unknown> =>
    classifyInvocationError((await outcomeOf(fetchResponseStream(url))).error);
  expect(await classOf(`${server.url}cut`)).toEqual({ verdict: 'soon', mayHaveRun: true });
  expect(await classOf(`${server.url}reset`)).toEqual({ verdict: 'soon', mayHaveRun: true });
  expect(await classOf(await refusingUrl())).toEqual({ verdict: 'soon', mayHaveRun: false });
});
