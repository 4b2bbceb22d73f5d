import { PageEvent, type Renderer } from 'typedoc';

/** Gives pages landmarks, headings without a gap, and tables and pictures that the keyboard can scroll. */
export function addLandmarks(renderer: Renderer): void {
  renderer.on(PageEvent.END, (page: PageEvent) => {
    if (page.contents === undefined) return;
    const contents = page.contents
      .replace('<div class="col-content">', '<div class="col-content" role="main">')
      .replace('<div class="col-sidebar">', '<div class="col-sidebar" role="complementary" aria-label="On this page">')
      .replaceAll('<table>', '<div class="table" tabindex="0"><table>')
      .replaceAll('</table>', '</table></div>')
      .replaceAll('<p><img ', '<p class="picture" tabindex="0"><img ')
      .replaceAll('<h5 class="tsd-index-heading', '<h5 aria-level="2" class="tsd-index-heading')
      .replace('<h4>Hierarchy</h4>', '<h4 aria-level="2">Hierarchy</h4>')
      .replaceAll(/<h3>(?=Settings<|On This Page<)/g, '<h3 aria-level="2">')
      // A link within a line that unfolds others is one control within another, which screen readers cannot reach.
      .replaceAll(/<summary.*?<\/summary>/gs, (line) => line.replace(/<a [^>]*class="tsd-anchor-icon".*?<\/a>/s, ''));
    // The headings of a signature begin at the fourth level. Only pages with members have those between.
    page.contents = /^(?:functions|types|variables)\//.test(page.url)
      ? contents.replaceAll('<h4 ', '<h4 aria-level="2" ').replaceAll('<h5 ', '<h5 aria-level="3" ')
      : contents;
  });
}
