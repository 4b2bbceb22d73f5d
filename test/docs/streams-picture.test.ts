import { expect, it } from 'vitest';
import { drawStreams } from '../../docs/draw-streams.js';
import { read } from './markdown-page.js';

const svg = drawStreams();

it('docs/pictures/streams.svg is what `npm run docs:pictures` draws now', () => {
  expect(read('docs/pictures/streams.svg')).toBe(svg);
});

it('tells of text that grows, a cut that is an error, and a close that the server sees', () => {
  for (const text of ['Hello ', 'complete', 'error: cut after 15 bytes', 'the server sees the close']) {
    expect(svg).toContain(`>${text}</text>`);
  }
});

it('has a title, loads nothing, runs no script, and stands still for readers who want less motion', () => {
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" role="img" [^>]*><title>[^<]+<\/title>/);
  expect(svg).not.toMatch(/<script|<image|href=|url\(|@import|@font-face/);
  // Each animation has its keyframes, and runs under this condition alone.
  const animations = [...svg.matchAll(/animation-name:(\w+)/g)].map(([, name]) => name);
  expect(animations.length).toBeGreaterThan(20);
  for (const name of animations) expect(svg).toContain(`@keyframes ${name}{`);
  expect(svg.match(/animation:9s/g)).toHaveLength(1);
  expect(svg).toContain('@media (prefers-reduced-motion:no-preference){.moving{animation:9s');
});
