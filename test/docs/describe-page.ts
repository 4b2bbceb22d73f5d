import { expect, it } from 'vitest';
import { read, readPage, readSource, type MarkdownPage } from './markdown-page.js';

/** The tests that every page of documentation passes: what it shows and links to is there, and as it says. */
export function describePage(page: MarkdownPage): void {
  const shown = page.blocks.flatMap(({ source, code }) => (source === undefined ? [] : [[source, code] as const]));

  it.each(shown)('shows %s as it is', (source, code) => {
    expect(code).toBe(readSource(source));
  });

  it('shows no code that is not a file of its own, or a region of one', () => {
    const loose = page.blocks.filter(
      ({ language, source }) => /^(ts|tsx|js|jsx|html|nginx)$/.test(language) && !source,
    );
    // The only code of this page is run by its own test.
    expect(loose).toHaveLength(page.path === 'docs/script-steps.md' ? 1 : 0);
  });

  it('links to files and headings that are there', () => {
    for (const { path, anchor } of page.links) {
      expect(() => read(path), path).not.toThrow();
      if (anchor !== undefined) expect(readPage(path).anchors).toContain(anchor);
    }
  });

  it('names tests that are there', () => {
    for (const { path, name } of page.tests) expect(read(path), path).toContain(name);
  });
}
