import { refusals } from './relay-refusal.js';

/** Counts the streams that are open. */
export interface StreamCount {
  /** Checks that one more stream has room. @throws a refusal where it has none */
  assertRoom(): void;
  /** Counts one more stream. @returns a function that stops counting it. @throws a refusal over a limit */
  enter(client: string | undefined): () => void;
}

/** Makes a count with one limit for all streams and one for each client. It forgets a client without a stream. */
export function createStreamCount(maxStreams: number, maxStreamsPerClient: number): StreamCount {
  const byClient = new Map<string, number>();
  let count = 0;

  function assertRoom(): void {
    if (count >= maxStreams) throw refusals.tooMany();
  }

  return {
    assertRoom,
    enter(client) {
      assertRoom();
      const own = client === undefined ? 0 : (byClient.get(client) ?? 0);
      if (own >= maxStreamsPerClient) throw refusals.tooMany();
      count++;
      if (client !== undefined) byClient.set(client, own + 1);
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        count--;
        if (client === undefined) return;
        const left = (byClient.get(client) ?? 1) - 1;
        if (left > 0) byClient.set(client, left);
        else byClient.delete(client);
      };
    },
  };
}
