import { describe, expect, it } from 'vitest';
import { parseBlocks, parseLine } from './parse-markdown';

describe('parseBlocks', () => {
  it('keeps each line of text, empty ones included', () => {
    expect(parseBlocks('One two\n\nthree')).toEqual([
      { kind: 'line', text: 'One two' },
      { kind: 'line', text: '' },
      { kind: 'line', text: 'three' },
    ]);
  });

  it('reads headings, lists and fenced code', () => {
    expect(parseBlocks('## Title\n- a\n- b\n3. c\n4) d\n```ts\nconst a = 1;\n\n# no heading\n```\nend')).toEqual([
      { kind: 'heading', text: 'Title' },
      { kind: 'list', isOrdered: false, start: 1, items: ['a', 'b'] },
      { kind: 'list', isOrdered: true, start: 3, items: ['c', 'd'] },
      { kind: 'code', text: 'const a = 1;\n\n# no heading' },
      { kind: 'line', text: 'end' },
    ]);
  });

  it('takes a fence that is not closed yet for code', () => {
    expect(parseBlocks('```\nconst a')).toEqual([{ kind: 'code', text: 'const a' }]);
  });
});

describe('parseLine', () => {
  it('reads code, strong, emphasis and links, and keeps the rest', () => {
    expect(parseLine('a `b*c*` **d** *e* [f](https://g.test/h) i')).toEqual([
      { kind: 'text', text: 'a ' },
      { kind: 'code', text: 'b*c*' },
      { kind: 'text', text: ' ' },
      { kind: 'strong', text: 'd' },
      { kind: 'text', text: ' ' },
      { kind: 'emphasis', text: 'e' },
      { kind: 'text', text: ' ' },
      { kind: 'link', text: 'f', href: 'https://g.test/h' },
      { kind: 'text', text: ' i' },
    ]);
  });

  it.each(['2 * 3 * 4', '**not closed', '[a](javascript:alert(1))', '[a](/relative)', '`', '<b>no HTML</b>'])(
    'leaves %j as it is',
    (line) => expect(parseLine(line)).toEqual([{ kind: 'text', text: line }]),
  );

  it.each(['*', '`', '[', '[a](', '**'])('takes one pass for a line of many %j', (mark) => {
    const line = mark.repeat(100_000 / mark.length);
    const pieces = parseLine(line);
    expect(pieces.map(({ text }) => text).join('').length).toBeGreaterThan(0);
  });
});
