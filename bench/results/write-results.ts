import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rxjsFrom, sdkLoop } from '../events/readers.js';
import { comparedShapes, titleOf } from '../events/shapes.js';
import { formatMarkdown } from './format-markdown.js';
import type { Surroundings } from './machine.js';
import { replaceReadmeBlock, toReadmeBlock } from './readme-block.js';
import { toPage } from './results-page.js';
import { toPlot } from './results-plot.js';
import type { Row } from './row.js';

const pathOf = (file: string): string => fileURLToPath(new URL(`../${file}`, import.meta.url));

const pageFile = 'RESULTS.md';
const plotFile = 'results.svg';
const readmeFile = '../README.md';

/** Writes the page, the plot, and the README's block where it has one; returns the names of the files written. */
export async function writeResults(
  rows: readonly Row[],
  surroundings: Surroundings,
  isQuick: boolean,
): Promise<string[]> {
  const sizes = comparedShapes.map((shape) => [titleOf(shape), shape.name] as const);
  const others = [
    [sdkLoop, "the SDK's for await loop"],
    [rxjsFrom, 'RxJS from(EventStream)'],
  ] as const;
  await writeMarkdown(pageFile, toPage(rows, surroundings, isQuick));
  writeFileSync(pathOf(plotFile), toPlot(rows, sizes, others, surroundings));
  const readme = replaceReadmeBlock(readFileSync(pathOf(readmeFile), 'utf8'), toReadmeBlock(rows, surroundings));
  if (readme === undefined) return [pageFile, plotFile];
  await writeMarkdown(readmeFile, readme);
  return [pageFile, plotFile, 'README.md'];
}

async function writeMarkdown(file: string, markdown: string): Promise<void> {
  writeFileSync(pathOf(file), await formatMarkdown(markdown));
}
