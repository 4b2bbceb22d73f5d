import { refusals } from './relay-refusal.js';

/** Counts the streams that are open. */
export interface StreamCount {
  /** Whether one more has room, for whichever client. @throws a refusal where not */
  assertRoom(): void;
  /** Counts one more. @returns what counts it no longer. @throws a refusal over a limit */
  enter(client: string | undefined): () => void;
}

/** Makes a count with a limit in all and one for each client. A client is remembered while it has a stream. */
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
