/** As much of markdown-it as is used here; TypeDoc hands its parser over without types. */
interface Token {
  readonly type: string;
  readonly content: string;
  children: Token[] | null;
}

interface State {
  readonly tokens: readonly Token[];
  readonly Token: new (type: string, tag: string, nesting: 0) => { content: string } & Token;
}

interface Parser {
  readonly linkify: { set(options: { readonly fuzzyLink: boolean }): void };
  readonly core: { readonly ruler: { push(name: string, rule: (state: State) => void): void } };
}

/** What the site changes in the reading of Markdown. */
export function adaptMarkdown(parser: Parser): void {
  // Without this, a file's name such as CONTRIBUTING.md becomes a link to a host in Moldova.
  parser.linkify.set({ fuzzyLink: false });
  showCodeInHeadings(parser);
}

/**
 * Keeps code in headings: TypeDoc takes only their plain text into "On this page" and into their anchors, which would
 * make `decodeText()`: text a mere ": text", at another anchor than on a forge's page of the same file.
 */
function showCodeInHeadings(parser: Parser): void {
  parser.core.ruler.push('code-in-headings', ({ tokens, Token }) => {
    const make = (type: string, content: string): Token => Object.assign(new Token(type, '', 0), { content });
    tokens.forEach((token, index) => {
      if (token.type !== 'heading_open') return;
      const inline = tokens[index + 1];
      if (!inline?.children) return;
      inline.children = inline.children.flatMap((child) =>
        child.type === 'code_inline'
          ? [make('html_inline', '<code>'), make('text', child.content), make('html_inline', '</code>')]
          : [child],
      );
    });
  });
}
