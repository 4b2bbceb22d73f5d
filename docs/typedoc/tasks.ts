import {
  Comment,
  CommentTag,
  ReflectionKind,
  type CommentDisplayPart,
  type Context,
  type ProjectReflection,
} from 'typedoc';
import type { DeclarationReflection } from 'typedoc';

/** The tasks of what is exported, by the beginnings of the paths in `src` of the files that declare it. */
const tasks: readonly (readonly [task: string, ...paths: string[]])[] = [
  ['Invoke', 'invoke/'],
  ['Text', 'decoding/decode-text', 'decoding/split-lines'],
  ['Records and events', 'decoding/parse-'],
  ['HTTP responses', 'decoding/decode-http', 'http/fetch-', 'local/runtime/awslambda'],
  ['Whole responses', 'consumers/collect-response', 'shared/payload'],
  ['User interfaces', 'consumers/to-snapshots', 'consumers/snapshot-state', 'angular/stream-resource'],
  ['Providers', 'angular/lambda-streams'],
  ['Retries', 'retry/'],
  ['Sharing', 'consumers/share-invocation', 'log/join-', 'log/follow-', 'log/log-records', 'log/production'],
  ['Stopping and looking', 'log/manage-'],
  ['Logs', 'log/memory-log', 'redis/redis-log', 'redis/redis-client'],
  ['Writing a log', 'log/invocation-log', 'log/entry-id', 'testing/invocation-log-cases'],
  ['Relaying', 'relay/create-', 'relay/relay-options', 'http/relayed-', 'http/relay-', 'http/reconnect'],
  ['Refusing', 'relay/relay-refusal'],
  ['Node servers', 'relay/node-exchange'],
  ['Backpressure', 'consumers/flow-control', 'consumers/to-readable-stream', 'consumers/to-async-iterable'],
  ['Observability', 'consumers/observe-invocation', 'otel/'],
  ['Faking a function', 'testing/'],
  ['Serving functions', 'local/start-', 'local/local-lambda-options', 'local/http/'],
  ['Handlers', 'local/runtime/', 'local/invocation/invocation-context'],
  ['Scripted functions', 'local/script/', 'local/invocation/', 'event-stream/'],
  ['Events', 'events'],
  ['Errors', 'errors', 'lambda-stream-error', 'invocation-errors', 'payload-errors', 'log-errors'],
];

/** Groups what each entry point exports by task, and lists it with its first sentences. */
export function groupByTask(context: Context): void {
  const { project } = context;
  for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
    // What another entry point declares is listed there.
    const exported = (module.children ?? []).filter((child) => !child.isReference());
    const byTask = new Map<string, DeclarationReflection[]>();
    for (const child of exported) {
      const task = taskOf(child, context);
      addCategory(child, task);
      byTask.set(task, [...(byTask.get(task) ?? []), child]);
    }
    const order = tasks.map(([task]) => task);
    const found = [...byTask].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
    module.comment ??= new Comment();
    module.comment.summary.push(
      { kind: 'text', text: '\n\n' },
      ...found.flatMap(([task, members]) => [
        { kind: 'text' as const, text: `\n**${task}**\n\n` },
        ...members.sort(functionsFirst).flatMap(summary),
      ]),
    );
  }
}

function taskOf(reflection: DeclarationReflection, context: Context): string {
  const file = context.getSymbolFromReflection(reflection)?.declarations?.[0]?.getSourceFile().fileName ?? '';
  const [, path = ''] = /\/src\/(.*)$/.exec(file) ?? [];
  const [task] = tasks.find(([, ...paths]) => paths.some((beginning) => path.startsWith(beginning))) ?? [];
  if (task === undefined) throw new Error(`docs/typedoc/tasks.ts has no task for ${reflection.name} of ${path}`);
  return task;
}

function addCategory(reflection: DeclarationReflection, task: string): void {
  // A function's comments are those of its signatures.
  const category = new CommentTag('@category', [{ kind: 'text', text: task }]);
  for (const signature of reflection.signatures ?? []) (signature.comment ??= new Comment()).blockTags.push(category);
  if (!reflection.signatures) (reflection.comment ??= new Comment()).blockTags.push(category);
}

/** What one calls comes before what one names: functions, then classes and variables, then types. */
function functionsFirst(a: DeclarationReflection, b: DeclarationReflection): number {
  const rank = ({ kind }: DeclarationReflection): number =>
    [ReflectionKind.Function, ReflectionKind.Class, ReflectionKind.Variable].indexOf(kind) + 1 || 4;
  return rank(a) - rank(b);
}

/** A line of a list: a link and the first sentence of what it links to. */
function summary(reflection: DeclarationReflection): CommentDisplayPart[] {
  return [
    { kind: 'text', text: '- ' },
    { kind: 'inline-tag', tag: '@link', text: reflection.name, target: reflection },
    { kind: 'text', text: `: ${firstSentence(reflection)}\n` },
  ];
}

function firstSentence({ name, comment, signatures, type }: DeclarationReflection): string {
  // TypeDoc moves the comment of a function's type to its signature.
  const ofType = type?.type === 'reflection' ? type.declaration.signatures : undefined;
  const texts = [...(signatures ?? []), ...(ofType ?? []), { comment }].map((documented) =>
    (documented.comment?.summary ?? []).map((part) => part.text).join(''),
  );
  const [sentence] = /^[\s\S]*?[.:](?=\s|$)/.exec(texts.find((text) => text !== '') ?? '') ?? [];
  if (sentence === undefined) throw new Error(`${name} does not begin with a sentence`);
  return sentence.replaceAll(/\s+/g, ' ').replace(/:$/, '.');
}

/**
 * Writes the default of an option behind its text. TypeDoc would show it below, under a heading of its own, and those
 * of a function's `@param options.name` at the function's end, without a name. The latter stand at the options already.
 */
export function placeDefaults(project: ProjectReflection): void {
  for (const reflection of Object.values(project.reflections)) {
    const { comment } = reflection;
    const tag = comment?.getTag('@defaultValue');
    if (!comment || !tag) continue;
    comment.removeTags('@defaultValue');
    if (!reflection.isSignature()) {
      comment.summary.push({ kind: 'text', text: '\n\nDefault: ' }, ...tag.content);
    }
  }
}
