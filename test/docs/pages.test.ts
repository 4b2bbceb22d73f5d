/** The pages in docs/: what they show and link to is there, and every section says which test proves it. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { withExceptions } from '../../docs/write-retried-errors.js';
import { describePage } from './describe-page.js';
import { codeIn, read, readPage, readSource, readTests, root, sectionOf, tableRows } from './markdown-page.js';

const migrating = readPage('docs/migrating.md');
const troubleshooting = readPage('docs/troubleshooting.md');

const guides = readdirSync(`${root}docs`)
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);

describe.each([...guides, 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md'].map(readPage))('$path', (page) => {
  describePage(page);

  it('has no cell that is too long to read', () => {
    const rows = read(page.path)
      .replace(/^```[\s\S]*?^```$/gm, '')
      .replace(/<!-- benchmark[\s\S]*?<!-- \/benchmark -->/g, '')
      .matchAll(/^\|(.*)\|$/gm);
    const cells = [...rows].flatMap(([, row = '']) => row.split('|').map((cell) => cell.trim()));
    // A link counts as its text.
    const texts = cells.map((cell) => cell.replaceAll(/\]\([^)]*\)/g, ']'));
    expect(texts.filter((text) => text.length > 200 && !/^[-: ]+$/.test(text))).toEqual([]);
  });
});

describe('docs/retried-errors.md', () => {
  it('has the exceptions as the table of exceptions has them: npm run docs:errors writes them', () => {
    const page = read('docs/retried-errors.md');
    expect(withExceptions(page)).toBe(page);
  });
});

describe('docs/troubleshooting.md', () => {
  const sections = troubleshooting.sections.filter(({ level }) => level === 2);

  it('lists its sections, in their order', () => {
    const [introduction = ''] = sectionOf(troubleshooting, 'Troubleshooting').text.split('\n## ');
    const listed = [...introduction.matchAll(/^- \[(.+)\]\(#/gm)].map(([, heading]) => heading);
    expect(listed).toEqual(sections.map(({ heading }) => heading));
  });

  it.each(sections)('says under "$heading" which tests prove it', ({ text }) => {
    expect(readTests(text)).not.toEqual([]);
  });
});

describe('docs/migrating.md', () => {
  it('shows each region of its examples, on both sides of each shape', () => {
    const shown = migrating.blocks.flatMap(({ source }) => source ?? []);
    for (const side of ['before', 'after']) {
      const path = `examples/migrating-${side}.ts`;
      const regions = [...readSource(path).matchAll(/^\/\/ #region (\S+)$/gm)].map(
        ([, name]) => `${path}#${String(name)}`,
      );
      expect(shown.filter((source) => source.startsWith(path))).toEqual(regions);
    }
  });
});

describe('docs/architecture.md', () => {
  const architecture = readPage('docs/architecture.md');
  const rooms = tableRows(sectionOf(architecture, 'Layers'), 'room')
    .flatMap((row) => codeIn(row['room'] ?? ''))
    .filter((name) => name.endsWith('/'))
    .map((name) => name.slice(0, -1));

  it('names every folder of the source', () => {
    const folders = readdirSync(`${root}src`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect([...rooms].sort()).toEqual(folders.map(({ name }) => name).sort());
  });

  it('names the rooms that the lint rule has', () => {
    const [, layers = ''] = /^const layers = \{\n([\s\S]*?)^\};/m.exec(read('eslint.config.js')) ?? [];
    expect([...layers.matchAll(/^ {2}'?([\w-]+)'?: \[/gm)].map(([, name = '']) => name).sort()).toEqual(
      [...rooms].sort(),
    );
  });

  it('names files that are there', () => {
    const files = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' }).map((path) => `/src/${path}`);
    const named = codeIn(read(architecture.path).replaceAll(/^```[\s\S]*?^```$/gm, '')).filter((code) =>
      code.endsWith('.ts'),
    );
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((name) => !files.some((file) => file.endsWith(`/${name}`)))).toEqual([]);
  });
});

describe('docs/testing.md', () => {
  it('shows the environment that both examples of jest have', () => {
    expect(read('examples/angular-jest/jest-environment.cjs')).toBe(read('examples/jest/jest-environment.cjs'));
  });
});

describe('what takes the pages apart', () => {
  it('finds headings, anchors, links, named tests, code blocks and tables', () => {
    expect(migrating.anchors).toContain('for-await-kept');
    expect(readPage('docs/records.md').anchors).toContain('http-responses-inside-the-stream');
    expect(migrating.links).toContainEqual({ path: 'examples/for-await.ts' });
    expect(migrating.links).toContainEqual({ path: 'docs/migrating.md', anchor: 'from-boto3' });
    expect(troubleshooting.tests.length).toBeGreaterThan(30);
    expect(migrating.blocks.find(({ language }) => language === 'python')?.code).toContain('import boto3');
    expect(tableRows(sectionOf(migrating, 'Parameters'), 'parameter')[0]).toMatchObject({
      parameter: '`FunctionName`',
    });
  });

  it('reads a region without its comments, and misses one that is not there', () => {
    expect(readSource('examples/migrating-before.ts#retries')).toMatch(
      /^export function createRetryingClient[\s\S]*^}\n$/m,
    );
    expect(() => readSource('examples/migrating-before.ts#nothing')).toThrow('no region nothing');
    expect(() => readSource('examples/nothing.ts')).toThrow('ENOENT');
  });
});
