export const handler = awslambda.streamifyResponse(async (event, responseStream) => {
  for (const word of ['Hello ', 'from ', 'Lambda\n']) {
    responseStream.write(word);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  responseStream.end();
});
