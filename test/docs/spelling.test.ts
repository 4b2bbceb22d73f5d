/** The spelling of every page, by Hunspell's British dictionary and the project's own words in docs/words.txt. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { read, root } from './markdown-page.js';

interface Dictionary {
  readonly correct: (word: string) => boolean;
}

const require = createRequire(import.meta.url);
const nspell = require('nspell') as (affixes: Buffer, words: Buffer) => Dictionary;
const folder = dirname(require.resolve('dictionary-en-gb'));
const dictionary = nspell(readFileSync(join(folder, 'index.aff')), readFileSync(join(folder, 'index.dic')));
const own = read('docs/words.txt').trim().split('\n');

/** The words of a page's prose: no code, no comments, no addresses. */
function wordsOf(text: string): string[] {
  const prose = text
    .replaceAll(/^ *```[\s\S]*?^ *```$/gm, ' ')
    .replaceAll(/<!--[\s\S]*?-->|`[^`]*`|^\[[^\]]+\]: .*$/gm, ' ')
    .replaceAll(/\]\([^)]*\)|https?:\S+/g, '] ');
  return (prose.match(/\p{L}[\p{L}'’]*\p{L}/gu) ?? []).map((word) => word.replaceAll('’', "'").replace(/'s$/, ''));
}

// A name of several capitals, such as an acronym or a class, is nobody's spelling.
const isMisspelt = (word: string): boolean =>
  !dictionary.correct(word) && !own.includes(word) && !/\p{Lu}.*\p{Lu}/u.test(word);

const guides = readdirSync(`${root}docs`).filter((name) => name.endsWith('.md'));
const pages = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', ...guides.map((name) => `docs/${name}`)];

describe('the spelling', () => {
  it.each(pages)('of %s', (page) => {
    expect(wordsOf(read(page)).filter(isMisspelt)).toEqual([]);
  });

  it('reports words that are misspelt', () => {
    expect(wordsOf("The strem's `cde` [is](https://b.cd) [closd](a.md).").filter(isMisspelt)).toEqual([
      'strem',
      'closd',
    ]);
  });

  it('has no own words that no page uses, in their order', () => {
    const used = new Set(pages.flatMap((page) => wordsOf(read(page))));
    expect(own.filter((word) => !used.has(word))).toEqual([]);
    expect([...own].sort()).toEqual(own);
  });
});
