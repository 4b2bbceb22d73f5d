// `npm run docs:marbles`: draws the diagrams of the docstrings into docs/marbles.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { drawPictures } from './diagram/draw-pictures.js';

const folder = fileURLToPath(new URL('marbles/', import.meta.url));
const pictures = drawPictures(fileURLToPath(new URL('..', import.meta.url)));

for (const file of readdirSync(folder)) if (!pictures.has(file)) rmSync(`${folder}${file}`);
for (const [file, svg] of pictures) writeFileSync(`${folder}${file}`, svg);
console.log(`${pictures.size} pictures in docs/marbles`);
