import type { ModelEvent, ModelObserver, ModelSource } from './events.js';
import { linesOf, type ModelLine } from './lines.js';

/** What a schema says of a record. */
export type SchemaAnswer = 'accept' | 'refuse' | 'reject';

/** A consumer of `parseNdjson({ schema, onInvalid, maxPendingBytes })`, with a schema that is asynchronous or not. */
export interface ModelRecords {
  readonly values: readonly string[];
  readonly ending: string | undefined;
  readonly listens: boolean;
  /** How often the schema was asked asynchronously; each time it is asked for one record. */
  readonly asked: number;
  subscribe(): void;
  unsubscribe(): void;
  /** The schema answers what it was asked as the so-manieth. Shows with the next turn of the event loop. */
  answer(question: number, answer: SchemaAnswer): void;
  turn(): void;
}

export interface RecordsPlan {
  readonly onInvalid: 'error' | 'skip' | 'tell';
  readonly maxPendingBytes: number;
  readonly take: number | undefined;
}

/** Such a record the schema judges at once. */
export const isJudgedAtOnce = (record: unknown): boolean => Number(record) > 5;
/** Which of those it refuses. */
export const isRefusedAtOnce = (record: unknown): boolean => Number(record) > 7;

interface Position {
  readonly line: number;
  readonly offset: number;
}

export function modelRecords(plan: RecordsPlan, source: ModelSource): ModelRecords {
  const values: string[] = [];
  let ending: string | undefined;
  let listens = false;
  let asked = 0;
  /** All since the last restart or continue, where that begins, and how many of its lines are handled. */
  let segment: ModelEvent[] = [];
  let base: Position = { line: 1, offset: 0 };
  let handled = 0;
  /** The first one is before the schema. */
  let waiting: { readonly line: ModelLine; question?: number; answer?: SchemaAnswer }[] = [];
  let heldEnd: string | undefined;
  let taken = 0;

  function end(how: string): void {
    ending = how;
    leave();
  }

  function leave(): void {
    if (!listens) return;
    listens = false;
    waiting = [];
    source.unsubscribe(observer);
  }

  function emit(value: string): void {
    values.push(value);
    if (!value.startsWith('invalid') && ++taken === plan.take) end('complete');
  }

  function refuse({ line, offset }: ModelLine): void {
    if (plan.onInvalid === 'error') end(`InvalidRecordError in line ${line}, byte ${offset}`);
    if (plan.onInvalid === 'tell') emit(`invalid in line ${line}, byte ${offset}`);
  }

  /** Judges a line now, or says which question it is to the schema. */
  function judge(line: ModelLine): number | undefined {
    let record: unknown;
    try {
      record = JSON.parse(line.text);
    } catch {
      refuse(line);
      return undefined;
    }
    if (!isJudgedAtOnce(record)) return asked++;
    if (isRefusedAtOnce(record)) refuse(line);
    else emit(JSON.stringify(record));
    return undefined;
  }

  function takeLine(line: ModelLine): void {
    if (!listens || /^[ \t\r]*$/.test(line.text)) return;
    if (waiting.length === 0) {
      const question = judge(line);
      // Judging emits, and who hears it may have left, which narrowing cannot see.
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
      if (question !== undefined && listens) waiting.push({ line, question });
      return;
    }
    waiting.push({ line });
    const pending = line.offset - (waiting[0]?.line.offset ?? 0);
    if (pending > plan.maxPendingBytes) end(`ResponseTooLargeError ${plan.maxPendingBytes}`);
  }

  function takeLines(isEnd: boolean): void {
    const { lines } = linesOf(segment, isEnd, Infinity);
    const fresh = lines.slice(handled);
    handled = lines.length;
    for (const { text, line, offset } of fresh) {
      takeLine({ text, line: base.line + line - 1, offset: base.offset + offset });
    }
  }

  function begin(mode: string): void {
    const bytes = segment.reduce((all, event) => (event.type === 'chunk' ? all + event.bytes : all), '');
    const [first] = waiting;
    if (mode === 'restart') base = { line: 1, offset: 0 };
    else if (first) base = first.line;
    else base = { line: base.line + handled, offset: base.offset + bytes.lastIndexOf('\n') + 1 };
    segment = [];
    handled = 0;
    waiting = [];
  }

  function endBehindRecords(how: string): void {
    if (!listens) return;
    if (waiting.length > 0) heldEnd = how;
    else end(how);
  }

  const observer: ModelObserver = {
    get closed() {
      return !listens;
    },
    next(event) {
      if (event.type === 'retry' && (event.mode === 'restart' || event.mode === 'continue')) begin(event.mode);
      if (event.type !== 'chunk') return;
      segment.push(event);
      takeLines(false);
    },
    fail: endBehindRecords,
    end() {
      takeLines(true);
      endBehindRecords('complete');
    },
  };

  function turn(): void {
    for (let [first] = waiting; first; [first] = waiting) {
      if (first.question === undefined) {
        const question = judge(first.line);
        if (question === undefined) waiting.shift();
        else first.question = question;
      } else if (first.answer === undefined) {
        return;
      } else {
        waiting.shift();
        if (first.answer === 'reject') end('rejected');
        else if (first.answer === 'refuse') refuse(first.line);
        else emit(JSON.stringify(JSON.parse(first.line.text)));
      }
    }
    if (listens && heldEnd !== undefined) end(heldEnd);
  }

  return {
    values,
    get ending() {
      return ending;
    },
    get listens() {
      return listens;
    },
    get asked() {
      return asked;
    },
    subscribe() {
      listens = true;
      source.subscribe(observer);
    },
    unsubscribe: leave,
    answer(question, answer) {
      const [first] = waiting;
      if (first?.question === question) first.answer ??= answer;
    },
    turn,
  };
}
