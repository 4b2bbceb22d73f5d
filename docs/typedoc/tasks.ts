import {
  Comment,
  CommentTag,
  ReflectionKind,
  type CommentDisplayPart,
  type Context,
  type ProjectReflection,
} from 'typedoc';
import type { DeclarationReflection } from 'typedoc';

/** The tasks of the core's functions and of what belongs to them, by the beginnings of their files' paths in `src`. */
const tasks: readonly (readonly [task: string, ...paths: string[]])[] = [
  ['Invoke', 'invoke/'],
  ['Text', 'decoding/decode-text', 'decoding/split-lines', 'decoding/line-'],
  ['Records and events', 'decoding/parse-', 'decoding/record-', 'decoding/event-'],
  ['HTTP responses', 'decoding/decode-http', 'decoding/http-'],
  ['Whole responses', 'consumers/collect-response'],
  ['User interfaces', 'consumers/to-snapshots'],
  ['Retries', 'retry/'],
  ['Sharing', 'consumers/share-invocation'],
  ['Backpressure', 'consumers/flow-control', 'consumers/to-readable-stream', 'consumers/to-async-iterable'],
  ['Observability', 'consumers/observe-invocation'],
  ['Events', 'events'],
  ['Errors', 'errors', 'lambda-stream-error', 'invocation-errors', 'payload-errors', 'log-errors', 'shared/'],
];

/** Groups what the core exports by task, and lists each entry point's functions with their first sentences. */
export function groupByTask(context: Context): void {
  const { project } = context;
  for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
    const exported = module.children ?? [];
    for (const child of exported) addCategory(child, taskOf(child, context));
    const functions = exported.filter((child) => child.kindOf(ReflectionKind.Function));
    if (functions.length === 0) continue;
    module.comment ??= new Comment();
    module.comment.summary.push({ kind: 'text', text: '\n\n' }, ...summaries(functions, context));
  }
}

function taskOf(reflection: DeclarationReflection, context: Context): string | undefined {
  const file = context.getSymbolFromReflection(reflection)?.declarations?.[0]?.getSourceFile().fileName ?? '';
  const [, path = ''] = /\/src\/(.*)$/.exec(file) ?? [];
  return tasks.find(([, ...paths]) => paths.some((beginning) => path.startsWith(beginning)))?.[0];
}

function addCategory(reflection: DeclarationReflection, task: string | undefined): void {
  if (task === undefined) return;
  // A function's comments are those of its signatures.
  const category = new CommentTag('@category', [{ kind: 'text', text: task }]);
  for (const signature of reflection.signatures ?? []) (signature.comment ??= new Comment()).blockTags.push(category);
  if (!reflection.signatures) (reflection.comment ??= new Comment()).blockTags.push(category);
}

/** A list of links, each with the first sentence of its function, under the headings of their tasks. */
function summaries(functions: readonly DeclarationReflection[], context: Context): CommentDisplayPart[] {
  const order = tasks.map(([task]) => task);
  const found = [...new Set(functions.map((declared) => taskOf(declared, context)))];
  found.sort((a, b) => order.indexOf(a ?? '') - order.indexOf(b ?? ''));
  return found.flatMap((task) => [
    { kind: 'text' as const, text: task === undefined ? '\n' : `\n**${task}**\n\n` },
    ...functions
      .filter((declared) => taskOf(declared, context) === task)
      .flatMap((declared): CommentDisplayPart[] => [
        { kind: 'text', text: '- ' },
        { kind: 'inline-tag', tag: '@link', text: declared.name, target: declared },
        { kind: 'text', text: `: ${firstSentence(declared)}\n` },
      ]),
  ]);
}

function firstSentence({ name, signatures = [] }: DeclarationReflection): string {
  const text = signatures[0]?.comment?.summary.map((part) => part.text).join('') ?? '';
  const [sentence] = /^[\s\S]*?[.:](?=\s|$)/.exec(text) ?? [];
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
