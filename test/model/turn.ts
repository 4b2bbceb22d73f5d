/** Lets everything that was begun, and does no input or output, come to its end. */
export async function turnOfTheEventLoop(): Promise<void> {
  // Twice: a stream may need the turn itself, and what follows from it another.
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
}
