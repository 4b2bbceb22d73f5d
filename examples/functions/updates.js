// Streams server-sent events.
export const handler = awslambda.streamifyResponse(async (event, responseStream) => {
  responseStream.setContentType('text/event-stream');
  for (let percent = 0; percent <= 100; percent += event.step ?? 50) {
    responseStream.write(`event: progress\nid: ${percent}\ndata: {"percent":${percent}}\n\n`);
  }
  responseStream.end();
});
