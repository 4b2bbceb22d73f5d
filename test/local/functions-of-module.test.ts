import { mkdtemp, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { scripted } from 'rx-lambda-stream/local';
import { expect, onTestFinished, test } from 'vitest';
import { functionOfModule, functionsOfModule } from '../../src/local/runtime/functions-of-module.js';

const a = (): string => 'a';
const b = (): string => 'b';
const names = (file: string, module: Record<string, unknown>): string[] => [...functionsOfModule(file, module).keys()];

/** Writes files, imports the last one, and returns its functions' names. */
async function importedNames(files: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'rx-lambda-stream-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  let last = '';
  for (const [name, text] of Object.entries(files)) {
    last = join(folder, name);
    await mkdir(join(last, '..'), { recursive: true });
    await writeFile(last, text);
  }
  return names(last, (await import(/* @vite-ignore */ pathToFileURL(last).href)) as Record<string, unknown>);
}

test('an exported handler keeps the name of the file, whatever else is exported', () => {
  const module = { total: a, handler: b, limit: 3, schema: {} };
  expect(names('/src/shop.ts', module)).toEqual(['shop.total', 'shop']);
  expect(functionsOfModule('/src/shop.ts', module).get('shop')).toBe(b);
});

test('a default export that is a function has the name of the file, where there is no handler', () => {
  expect(names('chat.mjs', { default: a, other: b })).toEqual(['chat.other', 'chat']);
  expect(names('chat.mjs', { default: a, handler: b })).toEqual(['chat', 'chat.default']);
  expect(names('chat.mjs', { default: a, handler: a })).toEqual(['chat']);
});

test('another single export is file.export', () => {
  expect(names('shop.js', { total: a })).toEqual(['shop.total']);
});

test.each(['index.js', 'index.mjs', 'index.ts'])('%s takes the name of its folder', (file) => {
  expect(names(`/src/orders/${file}`, { handler: a, refund: b })).toEqual(['orders', 'orders.refund']);
});

test('characters that Lambda refuses in a name become dashes', () => {
  expect(names('/src/[id] é.js', { handler: a })).toEqual(['-id---']);
});

test('a default export that is an instance of a class is not taken apart', () => {
  class App {
    fetch = a;
    get = b;
    post(): void {
      return;
    }
  }
  expect(names('app.js', { default: new App() })).toEqual([]);
  expect(names('app.js', { default: new App(), handler: b })).toEqual(['app']);
});

test('an exported class is no function', () => {
  class App {
    fetch = a;
  }
  expect(names('app.js', { App, handler: a })).toEqual(['app']);
});

test('a script is a function', () => {
  const flaky = scripted(['end']);
  expect(names('demo.js', { handler: flaky, other: scripted([]) })).toEqual(['demo', 'demo.other']);
  expect(names('demo.js', { default: flaky })).toEqual(['demo']);
});

test('CommonJS files name their functions as ES modules do', async () => {
  expect(await importedNames({ 'one.cjs': 'exports.handler = () => 1; exports.limit = 2;' })).toEqual(['one']);
  expect(await importedNames({ 'two.cjs': 'module.exports = { handler() {}, ["other"]: () => 2 };' })).toEqual([
    'two',
    'two.other',
  ]);
  expect(await importedNames({ 'three.cjs': 'module.exports = () => 3;' })).toEqual(['three']);
  expect(
    await importedNames({ 'four.cjs': 'class App { listen() {} }; module.exports = new App(); exports.x = 1;' }),
  ).toEqual([]);
  const compiled = 'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = () => 5;';
  expect(await importedNames({ 'five.cjs': compiled })).toEqual(['five']);
  expect(await importedNames({ 'six/index.cjs': 'exports.handler = () => 6;' })).toEqual(['six']);
});

test('one export can be chosen, and an unknown one is a TypeError that lists those that there are', () => {
  expect(functionOfModule('shop.js', { handler: a, total: b }, 'total')).toBe(b);
  expect(() => functionOfModule('shop.js', { handler: a, total: b }, 'nope')).toThrow(
    new TypeError('shop.js exports no function nope; it exports handler, total'),
  );
  expect(() => functionOfModule('none.js', { limit: 1 }, 'handler')).toThrow(/it exports no function$/);
  expect(() => functionOfModule('proto.js', { handler: a }, 'constructor')).toThrow(TypeError);
});
