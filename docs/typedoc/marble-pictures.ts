import { fileURLToPath } from 'node:url';
import {
  normalizePath,
  ReflectionKind,
  type CommentDisplayPart,
  type ProjectReflection,
  type RelativeLinkDisplayPart,
} from 'typedoc';
import { readDiagrams } from '../diagram/marble-diagram.js';
import { pictureFile } from '../diagram/picture-file.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const here = normalizePath(fileURLToPath(import.meta.url));

/** Puts each diagram's picture on its function's page, above its text. */
export function insertPictures(project: ProjectReflection): void {
  const signatures = project.getReflectionsByKind(ReflectionKind.CallSignature);
  for (const { name } of readDiagrams(root)) {
    // Of an overloaded function the first, which has the diagram.
    const comment = signatures.find(
      (signature) => signature.name === name && signature.parent?.kindOf(ReflectionKind.Function),
    )?.comment;
    if (!comment) throw new Error(`${name} has a diagram, but no page to show it`);
    const file = pictureFile(name);
    const registered = project.files.register(here, normalizePath(`../marbles/${file}`));
    if (!registered) throw new Error(`${file} is not there: \`npm run docs:marbles\` draws it`);
    const { target, anchor: targetAnchor } = registered;
    comment.summary = insertPicture(comment.summary, name, { kind: 'relative-link', text: file, target, targetAnchor });
  }
}

/** Inserts before the first block that is indented by four spaces: the diagram as text. */
function insertPicture(
  summary: readonly CommentDisplayPart[],
  name: string,
  link: RelativeLinkDisplayPart,
): CommentDisplayPart[] {
  const block = /^ {4}\S/m;
  const index = summary.findIndex(({ kind, text }) => kind === 'text' && block.test(text));
  const part = summary[index];
  if (part === undefined) throw new Error(`${name} has a diagram, but its page shows none`);
  const at = part.text.search(block);
  return [
    ...summary.slice(0, index),
    { kind: 'text', text: `${part.text.slice(0, at)}![Marble diagram of ${name}; it follows as text](` },
    link,
    { kind: 'text', text: `)\n\n${fold(part.text.slice(at))}` },
    ...summary.slice(index + 1),
  ];
}

/** Folds the diagram that a text begins with: the picture above says the same. */
function fold(text: string): string {
  const [diagram = ''] = /^(?:(?: {4}.*)?\n)+/.exec(`${text}\n`) ?? [];
  return `<details><summary>As text</summary>\n\n${diagram.trimEnd()}\n\n</details>\n\n${text.slice(diagram.length)}`;
}
