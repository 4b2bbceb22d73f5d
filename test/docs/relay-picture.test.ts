import { expect, it } from 'vitest';
import { drawRelay } from '../../docs/draw-relay.js';
import { read } from './markdown-page.js';

const svg = drawRelay();

it('docs/pictures/relay.svg is what `npm run docs:pictures` draws now', () => {
  expect(read('docs/pictures/relay.svg')).toBe(svg);
});

it('shows who talks to whom: pages, other clients, the proxy, two servers, Lambda and the log', () => {
  for (const party of ['Browser', 'EventSource', 'AWS SDK, boto3', 'Proxy', 'createRelay()', 'Lambda', 'Log']) {
    expect(svg).toContain(`>${party}</text>`);
  }
});

it('has a title, loads nothing, and runs no script', () => {
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" role="img" [^>]*><title>[^<]+<\/title>/);
  expect(svg).not.toMatch(/<script|<image|href=|url\(|@import|@font-face/);
});
