/** docs/proofs.md: each test that it names is there, and each proof that the README links to names some. */
import { describe, expect, it } from 'vitest';
import { read, readPage, sectionOf } from './markdown-page.js';

const page = readPage('docs/proofs.md');

/** A list item names a test: its file, and its name. */
const namedTests = (text: string): (readonly [path: string, name: string])[] =>
  [...text.matchAll(/^- `(test\/\S+)`: (.+)$/gm)].map(([, path = '', name = '']) => [path, name]);

describe.each(page.sections.filter(({ level }) => level === 2))('under "$heading"', ({ text }) => {
  it('are tests', () => {
    expect(namedTests(text).length).toBeGreaterThan(0);
    // Nothing else is a list there.
    expect(text.match(/^- /gm)).toHaveLength(namedTests(text).length);
  });

  it.each(namedTests(text))('%s has the test "%s"', (path, name) => {
    expect(read(path).replaceAll(/\\'/g, "'")).toContain(name);
  });
});

it('is where each reason of the README leads', () => {
  const reasons = [...sectionOf(readPage('README.md'), 'Why').text.matchAll(/^- [\s\S]*?(?=^- |^$)/gm)];
  expect(reasons).toHaveLength(5);
  for (const [reason] of reasons) {
    const [, anchor = ''] = /\]\(docs\/proofs\.md#([\w-]+)\)/.exec(reason) ?? [];
    expect(page.anchors).toContain(anchor);
  }
});
