import type { Mutation } from './mutations.js';

const change =
  (file: string) =>
  (find: string, replace = '', justified?: string): Mutation => ({
    file,
    find,
    replace,
    suite: 'test/log/invocation-log-cases.test.ts',
    ...(justified !== undefined && { justified }),
  });

const store = change('src/log/memory-store.ts');
const key = change('src/log/stored-key.ts');

/** Takes one rule at a time from the memory log: `invocationLogCases` has to notice the lack of each in any log. */
export const logFences: readonly Mutation[] = [
  // who is granted a claim
  store(
    'let claimed = claim !== undefined && stored?.isRunning === true &&',
    'let claimed = claim !== undefined && !!stored &&',
  ),
  store('stored?.isRunning === true && stored.state.owner === claim.owner;', 'stored?.isRunning === true;'),
  store('&& stored?.isRunning === true && stored.state.owner === claim.owner;', '&& false;'),
  store('if (stored === undefined) return last === undefined;', 'if (stored === undefined) return true;'),
  store('&& over.includes(status) &&', '&&'),
  store('&& (last === undefined || last === newest);', ';'),
  // what a claim begins
  store("claim.generation === 'new' || stored === undefined;", 'true;'),
  store("claim.generation === 'new' || stored === undefined;", 'stored === undefined;'),
  store('Math.max(generations + 1, Math.floor(asyncScheduler.now()))', 'Math.floor(asyncScheduler.now())'),
  store('Math.max(generations + 1, Math.floor(asyncScheduler.now()))', 'generations + 1'),
  key('...(trimmed !== undefined && { trimmed }),'),
  key('...(!isNew && head !== undefined && { head }),', '...(head !== undefined && { head }),'),
  key('...(!isNew && head !== undefined && { head }),'),
  key('    this.lease();\n    return this.#open(', '    return this.#open('),
  key('previous: this.#state.last, record, payload', "previous: '0-0', record, payload"),
  // who is present
  store('const joins = stored.isRunning;', 'const joins = true;'),
  store('if (joins) stored.admit({ member, cursor });'),
  store('if (isRunning && reader) stored.admit(reader);', 'if (reader) stored.admit(reader);'),
  store('if (isRunning && reader) stored.admit(reader);'),
  store('if (find(key)?.dismiss(member)) tell(key, (watcher) => watcher.presence());'),
  key('if (until <= now()) this.#members.delete(member);', ';'),
  // who writes
  store('state.owner === owner && state.generation === generation;', 'state.generation === generation;'),
  store('state.owner === owner && state.generation === generation;', 'state.owner === owner;'),
  store('isProducer(state, request) && isRunning && state.last === previous;', 'isRunning && state.last === previous;'),
  store('isProducer(state, request) && isRunning && state.last', 'isProducer(state, request) && state.last'),
  store('&& isRunning && state.last === previous;', '&& isRunning;'),
  store('end === undefined ? isRunning :', 'end === undefined ? true :'),
  store(': state.end === newest?.record;', ': true;'),
  store('isProducer(state, request) && state.last === newest?.id && isOwn;', 'state.last === newest?.id && isOwn;'),
  store('isProducer(state, request) && state.last === newest?.id && isOwn;', 'false;'),
  key('...(head !== undefined && { head }),\n      ...(end', '...(end'),
  key("...(end !== undefined && { status: end, end: entries.at(-1)?.record ?? '' }),"),
  // a restart
  store('state.owner === request.owner &&\n'),
  store('newest?.previous === previous &&\n', 'newest !== undefined &&\n'),
  store('newest.id === openingIdOf(state.generation) &&\n'),
  store(
    ' &&\n        state.generation !== request.generation;',
    ';',
    'no producer names the entry before the one that opened its own generation',
  ),
  store('newest?.previous === previous &&\n        newest.id', 'newest !== undefined && false && newest.id'),
  key('{ ...rest, generation, opening };', '{ ...this.#state, generation, opening };'),
  key('{ ...rest, generation, opening };', '{ ...rest, generation };'),
  // what is held
  key('...(trim !== undefined && { trimmed: trim }),'),
  key('this.#entries.splice(0, Math.min(kept, this.#entries.length - 1));'),
  key('Math.min(kept, this.#entries.length - 1)', 'kept'),
  key(
    'for (const entry of entries) this.#entries.push(copyOf(entry));',
    'for (const entry of entries) this.#entries.push(entry);',
  ),
  key('page.push(copyOf(entry));', 'page.push(entry);'),
  store('watcher.entries(entries.map(copyOf))', 'watcher.entries(entries)'),
  // pages
  key('bytes += entry.payload.length + entry.record.length;', 'bytes += entry.payload.length;'),
  key('bytes += entry.payload.length + entry.record.length;', 'bytes += entry.record.length;'),
  key('if (page.length > 0 && bytes > ', 'if (bytes > '),
  key('Math.min(maxBytes, maxPageBytes)', 'maxBytes'),
  key('Math.min(maxBytes, maxPageBytes)', 'maxPageBytes'),
  // the lease, and how long a key is kept
  store('if (isRunning && producer && isProducer(stored.state, producer)) stored.lease();'),
  store('if (isRunning && producer && isProducer', 'if (producer && isProducer'),
  store('&& producer && isProducer(stored.state, producer)) stored', '&& producer) stored'),
  key('this.#leaseUntil = now() + this.#state.leaseMs;\n    this.keep();', 'this.keep();'),
  key(
    'this.#leaseUntil = now() + this.#state.leaseMs;\n    this.keep();',
    'this.#leaseUntil = now() + this.#state.leaseMs;',
  ),
  key('if (end !== undefined) this.keep();'),
  key('{ status: end, end: record });\n    this.keep();', '{ status: end, end: record });'),
  store('if (!stored?.isExpired) return stored;', 'if (stored) return stored;'),
  store('    forget(key) {\n      keys.delete(key);', '    forget() {'),
  // the conditions of an end
  store('isRunning &&\n        (generation ===', '(generation ==='),
  store('(generation === undefined || generation === state.generation) &&\n'),
  store('(owner === undefined || owner === state.owner) &&\n'),
  store("(condition !== 'lease-over' || stored.isLeaseOver) &&\n"),
  store(" &&\n        (condition !== 'nobody-present' || stored.present().length === 0);", ';'),
  key('this.#write([entry], { status: end, end: record });', 'this.#write([entry], { status: end });'),
  // what watchers are told
  store('if (opening !== undefined) tellEntries(key, [opening]);'),
  store('if (joins) tell(key, (watcher) => watcher.presence());'),
  store('      tellEntries(key, entries);\n'),
  store('as const;\n      tellEntries(key, [opening]);', 'as const;'),
  store('      tellEntries(key, [entry]);\n'),
  store('if (isRunning && reader && announce) tell(key, (watcher) => watcher.presence());'),
  store('if (find(key)?.dismiss(member)) tell(key, (watcher) => watcher.presence());', 'find(key)?.dismiss(member);'),
  store('        ofKey.delete(watcher);\n'),
];
