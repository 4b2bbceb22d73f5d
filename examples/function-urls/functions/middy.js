import middy from '@middy/core';
import { Readable } from 'node:stream';

/** A middleware that adds a header to whatever the handler answers. */
const stamp = { after: ({ response }) => void (response.headers = { ...response.headers, 'x-stamp': 'middy' }) };

export const buffered = middy(async (event) => ({
  statusCode: 200,
  headers: { 'content-type': 'text/plain' },
  body: `path ${event.rawPath}`,
})).use(stamp);

export const streaming = middy({ streamifyResponse: true })
  .use(stamp)
  .handler(async () => ({
    statusCode: 200,
    headers: { 'content-type': 'text/plain' },
    body: Readable.toWeb(Readable.from(['one ', 'two'])),
  }));
