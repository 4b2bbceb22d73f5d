import type { ServerSentEvent } from '../../src/decoding/parse-sse.js';

/**
 * The events of a whole payload, by the letter of the standard's section 9.2.6, with the differences that `parseSse`
 * documents: the end of the payload ends the last event, and a payload that is no event stream is an error.
 */
export function readSse(bytes: Uint8Array): { events: ServerSentEvent[]; end: 'complete' | 'invalid-record' } {
  const events: ServerSentEvent[] = [];
  let fields: { id?: string; event?: string } = {};
  let data: string[] = [];
  let lastEventId: string | undefined;
  let retryMs: number | undefined;
  let isEventStream = false;
  let isForeign = false;

  // What follows the last line end is a line where it holds anything. The end of the payload is a blank line.
  const lines = new TextDecoder().decode(bytes).split(/\r\n|\r|\n/);
  for (const line of [...lines, '']) {
    if (line === '') {
      lastEventId = fields.id ?? lastEventId;
      if (data.length > 0 || fields.id !== undefined || fields.event !== undefined) isEventStream = true;
      if (data.length > 0) {
        events.push({
          ...fields,
          ...(lastEventId !== undefined && { lastEventId }),
          data: data.join('\n'),
          ...(retryMs !== undefined && { retryMs }),
        });
        retryMs = undefined;
      }
      fields = {};
      data = [];
      continue;
    }
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === 'data') data.push(value);
    else if (name === 'event') {
      if (value === '') delete fields.event;
      else fields.event = value;
    } else if (name === 'id') {
      if (!value.includes('\0')) fields.id = value;
    } else if (name === 'retry') {
      isEventStream = true;
      if (/^[0-9]+$/.test(value)) retryMs = Number(value);
    }
    if (name !== '') isForeign = true;
  }
  return { events, end: isForeign && !isEventStream ? 'invalid-record' : 'complete' };
}
