declare const awslambda: (typeof import('rx-lambda-stream/local'))['awslambda'];

export const handler = awslambda.streamifyResponse(async (event: { name?: string }, responseStream) => {
  responseStream.write('Hello ');
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  responseStream.write(`${event.name ?? 'from Lambda'}\n`);
  responseStream.end();
});
