// The function: orders as NDJSON over its function URL. `trouble` makes its first answer to a run go wrong.
const known = new Set();

export const handler = awslambda.streamifyResponse(async (event, responseStream) => {
  const { after = '0', count = '5', run = '', trouble = 'none' } = event.queryStringParameters ?? {};
  const goesWrong = trouble !== 'none' && !known.has(run);
  known.add(run);

  if (goesWrong && trouble === 'busy') {
    const refusal = { statusCode: 503, headers: { 'retry-after': '1', 'content-type': 'text/plain' } };
    const body = awslambda.HttpResponseStream.from(responseStream, refusal);
    body.write('busy');
    body.end();
    return;
  }

  const head = { statusCode: 200, headers: { 'content-type': 'application/x-ndjson' } };
  const body = awslambda.HttpResponseStream.from(responseStream, head);
  for (let id = Number(after) + 1; id <= Number(count); id++) {
    body.write(`${JSON.stringify({ id, item: `order ${id}`, amount: id * 10 })}\n`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (goesWrong && trouble === 'cut' && id === Number(after) + 2) {
      body.destroy();
      return;
    }
  }
  body.end();
});
