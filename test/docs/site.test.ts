import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDiagrams } from '../../docs/diagram/marble-diagram.js';
import { pictureFile } from '../../docs/diagram/picture-file.js';
import { publicFunctions, type PublicFunction } from '../../docs/diagram/public-functions.js';
import { buildSite } from './build-site.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const site = mkdtempSync(join(tmpdir(), 'rx-lambda-stream-site-'));
const functions = publicFunctions(root).map((declaration) => [declaration.name, declaration] as const);
const diagrams = readDiagrams(root).map((diagram) => [diagram.name, diagram] as const);

const read = (path: string): string => readFileSync(join(site, path), 'utf8');
const files = (extension: string): string[] =>
  readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith(extension));

/** The page of a public function. */
function pageOf({ name, file }: Pick<PublicFunction, 'name' | 'file'>): string {
  const [, entry] = /^src\/(testing|local|http|log|redis|relay|otel|angular)\//.exec(file) ?? [];
  return `functions/rx-lambda-stream${entry === undefined ? '' : `_${entry}`}.${name}.html`;
}

const decode = (html: string): string =>
  html
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');

const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** The values of these attributes in a page. */
const attributes = (html: string, names: string): string[] =>
  [...html.matchAll(new RegExp(`<[^>]*? (?:${names})="([^"]*)"`, 'g'))].map(([, value = '']) => decode(value));

let output = '';

interface NavigationEntry {
  readonly text: string;
  readonly path?: string;
  readonly children?: readonly NavigationEntry[];
}

// As `npm run docs` does it.
beforeAll(async () => {
  output = await buildSite(site);
}, 240_000);

afterAll(() => rmSync(site, { recursive: true, force: true }));

describe('the documentation site', () => {
  it('is made without a warning: every exported name is documented, every link is resolved', () => {
    expect(output).toContain('html generated');
    expect(output).not.toMatch(/\[(?:warning|error)\]/);
  });

  it('begins with the README, whose headings it lists as they read, code included', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8').replace(/^```.*?^```/gms, '');
    const headings = [...readme.matchAll(/^#{1,3} (.+)$/gm)].map(([, title = '']) => title.replaceAll('`', ''));
    const outline = [...read('index.html').matchAll(/<a href="#[^"]+"><span>(.*?)<\/span><\/a>/g)];
    expect(headings.length).toBeGreaterThan(6);
    expect(outline.map(([, title = '']) => decode(title.replaceAll('<wbr/>', '')))).toEqual(headings);
  });

  it('has the pages beside the README', () => {
    const { projectDocuments } = JSON.parse(readFileSync(join(root, 'typedoc.json'), 'utf8')) as {
      projectDocuments: string[];
    };
    const guides = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
    expect(projectDocuments).toEqual(expect.arrayContaining(guides.map((name) => `docs/${name}`)));
    const titles = projectDocuments.map((path) =>
      /^# (.+)/.exec(readFileSync(join(root, path), 'utf8'))?.[1]?.replaceAll('`', ''),
    );
    const pages = readdirSync(join(site, 'documents')).map((page) => read(`documents/${page}`));
    const shown = pages.map((html) => decode(/<title>(.*?) \|/.exec(html)?.[1] ?? ''));
    expect(shown.sort()).toEqual(titles.sort());
  });

  it.each(functions)('%s has a page with its first sentence', (_name, declaration) => {
    const [sentence = ''] = /^[^.:{]*/.exec(declaration.docstring) ?? [];
    const text = decode(read(pageOf(declaration)).replace(/<[^>]*>/g, ''));
    expect(sentence).not.toBe('');
    expect(text.replace(/\s+/g, ' ')).toContain(sentence.replace(/\s+/g, ' ').replaceAll('`', '').trim());
  });

  it.each(diagrams)('%s shows its diagram as a picture, and folded below it as text', (name, diagram) => {
    const [, declaration] = functions.find(([declared]) => declared === name) ?? [];
    if (declaration === undefined) throw new Error(`${name} is not public`);
    const html = read(pageOf(declaration));
    const picture = pictureFile(name);
    const shown = new RegExp(
      `<img src="\\.\\./media/${picture}" alt="[^"]*${name}[^"]*"/?></p>\\s*` +
        '<details><summary>As text</summary>\\s*<pre><code>(.*?)</code>',
      's',
    );
    const [, text = ''] = shown.exec(html) ?? [];
    for (const { label, marbles, legend } of diagram.lines) {
      expect(decode(text)).toMatch(new RegExp(`^${label} +${escapeRegExp(marbles)} *${escapeRegExp(legend)}$`, 'm'));
    }
    expect(read(`media/${picture}`)).toBe(readFileSync(join(root, 'docs/marbles', picture), 'utf8'));
  });
});

describe('the API', () => {
  it('is behind the guides in the sidebar, which has headings, and each entry point is grouped by task', () => {
    const [, data = ''] = /navigationData = "([^"]+)"/.exec(read('assets/navigation.js')) ?? [];
    const navigation = JSON.parse(inflateSync(Buffer.from(data, 'base64')).toString()) as NavigationEntry[];
    const headings = navigation.filter(({ path, children }) => path === undefined && children === undefined);
    expect(headings.map(({ text }) => text)).toEqual(['Guides', 'Reference', 'Help', 'Project', 'API']);
    const modules = navigation.slice(navigation.findIndex(({ text }) => text === 'API') + 1);
    expect(modules.map(({ text }) => text)).toEqual([
      'rx-lambda-stream',
      ...['http', 'log', 'redis', 'relay', 'otel', 'angular', 'testing', 'local'].map(
        (name) => `rx-lambda-stream/${name}`,
      ),
    ]);
    for (const { text, children = [] } of modules) {
      const [overview, ...tasks] = children;
      expect(overview, text).toMatchObject({ text: 'Overview', path: `modules/${text.replace('/', '_')}.html` });
      expect(tasks.length, text).toBeGreaterThan(0);
      for (const task of tasks) expect(task.children?.length, `${text}: ${task.text}`).toBeGreaterThan(0);
    }
    expect(modules[0]?.children?.slice(1, 5).map(({ text }) => text)).toEqual([
      'Invoke',
      'Text',
      'Records and events',
      'HTTP responses',
    ]);
  });

  it('has no link within a line of the sidebar that unfolds others', () => {
    const [, data = ''] = /navigationData = "([^"]+)"/.exec(read('assets/navigation.js')) ?? [];
    const linked = (entries: readonly NavigationEntry[]): string[] =>
      entries.flatMap(({ text, path, children = [] }) => [
        ...(path !== undefined && children.length > 0 ? [text] : []),
        ...linked(children),
      ]);
    expect(linked(JSON.parse(inflateSync(Buffer.from(data, 'base64')).toString()) as NavigationEntry[])).toEqual([]);
  });

  it('lists all that each entry point exports with its first sentence, under its task', () => {
    const pages = files('.html').filter((path) => /^(?:functions|classes|interfaces|types|variables)\//.test(path));
    expect(pages.length).toBeGreaterThan(150);
    const unlisted = pages.filter((page) => {
      const [, entry = '', name = ''] = /^\w+\/([\w-]+)\.(.+)\.html$/.exec(page) ?? [];
      const [, summary = ''] =
        new RegExp(`<li><a href="../${page}"[^>]*>${name}</a>: (.*?)</li>`, 's').exec(read(`modules/${entry}.html`)) ??
        [];
      return !/^\S.*\.$/s.test(decode(summary.replaceAll(/<[^>]*>/g, '')).trim());
    });
    expect(unlisted).toEqual([]);
  });

  it('writes defaults behind the options that they belong to, under no heading of their own', () => {
    for (const page of files('.html')) expect(read(page), page).not.toContain('>Default Value<');
    expect(read('interfaces/rx-lambda-stream.DecodeTextOptions.html')).toContain('<p>Default: <code>false</code></p>');
  });
});

describe('its files', () => {
  it('load nothing from another host', () => {
    const pages = files('.html');
    expect(pages.length).toBeGreaterThan(100);
    for (const page of pages) {
      const html = read(page);
      const tags =
        html.match(/<(?:script|link|img|iframe|frame|source|video|audio|track|object|embed|use|image|base)\b[^>]*>/g) ??
        [];
      const loaded = tags.flatMap((tag) => attributes(tag, 'src|href|srcset|data|poster|xlink:href'));
      expect(
        loaded.filter((url) => /^(?:[a-z]+:)?\/\//i.test(url.trim())),
        page,
      ).toEqual([]);
      expect(html, page).not.toMatch(/@import|url\(\s*["']?(?:https?:)?\/\//i);
    }
    for (const path of [...files('.css'), ...files('.svg')]) {
      expect(read(path), path).not.toMatch(
        /@import|@font-face|url\(\s*["']?(?:https?:)?\/\/|(?:href|src)="(?:https?:)?\/\//i,
      );
    }
    const scripts = files('.js').filter((path) => path.startsWith('assets/'));
    expect(scripts).toContain('assets/main.js');
    for (const path of scripts) {
      expect(read(path), path).not.toMatch(
        /\bfetch\(|XMLHttpRequest|importScripts|\bimport\s*\(|WebSocket|EventSource|sendBeacon|new Worker|\.src\s*=/,
      );
    }
  });

  it('link to pages, files and places within them that are there', () => {
    const ids = new Map<string, Set<string>>();
    const idsOf = (page: string): Set<string> => {
      const known = ids.get(page) ?? new Set(attributes(readFileSync(page, 'utf8'), 'id'));
      ids.set(page, known);
      return known;
    };
    // An example's page that the README links to is not one of the site's.
    for (const page of files('.html').filter((path) => !path.startsWith('media/'))) {
      const from = join(site, page);
      const broken = attributes(read(page), 'href|src').filter((url) => {
        if (/^(?:[a-z]+:|#$|$)/i.test(url)) return false;
        const [path = '', anchor] = decodeURIComponent(url).split('#');
        const target = path === '' ? from : resolve(dirname(from), path);
        if (!existsSync(target)) return true;
        return anchor !== undefined && target.endsWith('.html') && !idsOf(target).has(anchor);
      });
      expect(broken, page).toEqual([]);
    }
  });
});
