// Several functions of one file: served as shop.total, shop.receipt and shop.broken.

/** A plain handler: its result is sent as JSON, in one chunk. */
export const total = async (event) => ({ total: (event.prices ?? []).reduce((sum, price) => sum + price, 0) });

export const receipt = awslambda.streamifyResponse(async (event, responseStream) => {
  for (const price of event.prices ?? []) responseStream.write(`${price.toFixed(2)}\n`);
  responseStream.end();
});

/** Fails after it has written something: the client gets the part, then the error. */
export const broken = awslambda.streamifyResponse(async (_event, responseStream) => {
  responseStream.write('so far, so good\n');
  throw new RangeError('out of stock');
});
