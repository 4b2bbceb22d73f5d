import { describeError } from '../lambda/describe-error';
import { maxAttempts } from './conversation';
import { isLive, type Turn } from './turn';

/** One thing to say, with a key by which it is said once only. */
export interface Announcement {
  readonly key: string;
  readonly text: string;
}

/** More would only wait to be read. What is dropped was announced before, or is on the page. */
const maxAnnouncements = 20;

/** What a screen reader is told of a turn: whole sentences, not tokens, and how it fares. */
export function announcementsOf(turn: Turn | null): readonly Announcement[] {
  if (turn === null) return [];
  const { id, answer } = turn;
  const said = sentencesOf(answer.text, !isLive(turn)).map((text, index) => ({ key: `${id}:${index}`, text }));
  const status = statusOf(turn);
  return [
    ...said.slice(-maxAnnouncements),
    ...(status === undefined ? [] : [{ key: `${id}:${status}`, text: status }]),
  ];
}

/** The sentences that are whole; the last one counts as whole once the text is final. */
export function sentencesOf(text: string, isFinal: boolean): readonly string[] {
  const parts = text.split(/(?<=[.!?])\s+|\n+/);
  return (isFinal ? parts : parts.slice(0, -1)).filter((part) => part !== '');
}

function statusOf({ answer, stopped }: Turn): string | undefined {
  if (stopped) return 'Stopped.';
  // Said once for each attempt: the seconds are counted down on the page only.
  if (answer.status === 'retrying') return `Attempt ${answer.retry.attempt} of ${maxAttempts} follows.`;
  if (answer.status === 'failed') return describeError(answer.error);
  return answer.status === 'complete' ? 'Answer complete.' : undefined;
}
