import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rxjsFrom, sdkLoop } from '../events/readers.js';
import { comparedShapes, titleOf } from '../events/shapes.js';
import { formatMarkdown } from './format-markdown.js';
import type { Surroundings } from './machine.js';
import { replacePageBlock, toPageBlock } from './page-block.js';
import { toPage } from './results-page.js';
import { toPlot } from './results-plot.js';
import type { Row } from './row.js';

const pathOf = (file: string): string => fileURLToPath(new URL(`../${file}`, import.meta.url));

const pageFile = 'RESULTS.md';
const plotFile = 'results.svg';
const guideFile = '../docs/benchmark.md';

/** Writes the page, the plot, and the block of docs/benchmark.md; returns the names of the files written. */
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
  const guide = replacePageBlock(readFileSync(pathOf(guideFile), 'utf8'), toPageBlock(rows, surroundings));
  if (guide === undefined) return [pageFile, plotFile];
  await writeMarkdown(guideFile, guide);
  return [pageFile, plotFile, 'docs/benchmark.md'];
}

async function writeMarkdown(file: string, markdown: string): Promise<void> {
  writeFileSync(pathOf(file), await formatMarkdown(markdown));
}
