// Writes an HTTP response, as behind a function URL: status, headers and cookies, then the body.
export const handler = awslambda.streamifyResponse(async (_event, responseStream) => {
  const response = awslambda.HttpResponseStream.from(responseStream, {
    statusCode: 201,
    headers: { 'content-type': 'text/html' },
    cookies: ['visited=1'],
  });
  response.write('<h1>Hello</h1>\n');
  response.end();
});
