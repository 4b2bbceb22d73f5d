/** For so many turns of the event loop a stalled server has written nothing. */
const turns = 200;

/**
 * Waits until a server in this process has begun to write, and can write no more. The client is in this process too:
 * in each turn both do all input and output that they can. So the number of turns tells, and no time does, however slow
 * the machine is.
 *
 * @returns How many bytes the server has written.
 */
export async function stalled(request: { readonly bytesWritten: number }): Promise<number> {
  let last = 0;
  for (let unchanged = 0; unchanged < turns;) {
    await new Promise((resolve) => setImmediate(resolve));
    unchanged = last > 0 && request.bytesWritten === last ? unchanged + 1 : 0;
    last = request.bytesWritten;
  }
  return last;
}
