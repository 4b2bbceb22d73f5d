import { textSoFar } from './events.js';
import type { Segment } from './segments.js';

/** The server-sent events, read as the standard says; each in words. */
export function sentEventsOf(segments: readonly Segment[]): string[] {
  return segments.flatMap(({ bytes }) => {
    const found: string[] = [];
    const lines = textSoFar(bytes).split(/\r\n|\r|\n/);
    // Without its end it is none yet; and what the stream ends within is dropped.
    lines.pop();
    let id: string | undefined;
    let event: string | undefined;
    let retryMs: number | undefined;
    let data: string[] = [];

    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) {
          found.push(JSON.stringify([id, event, retryMs, data.join('\n')]));
          retryMs = undefined;
        }
        id = event = undefined;
        data = [];
        continue;
      }
      const { name, value } = /^(?<name>[^:]*):? ?(?<value>.*)$/su.exec(line)?.groups ?? {};
      if (name === 'data') data.push(value ?? '');
      else if (name === 'id') id = value;
      else if (name === 'event') event = value || undefined;
      else if (name === 'retry' && /^\d+$/.test(value ?? '')) retryMs = Number(value);
    }
    return found;
  });
}
