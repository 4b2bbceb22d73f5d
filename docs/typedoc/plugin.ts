import { Application, Converter, type Context } from 'typedoc';
import { insertPictures } from './marble-pictures.js';
import { addLandmarks } from './landmarks.js';
import { adaptMarkdown } from './markdown.js';
import { namePages } from './page-names.js';
import { addSearchWords } from './search-words.js';
import { defineSiteTheme } from './theme.js';
import { groupByTask, placeDefaults } from './tasks.js';

/** What the site has beyond TypeDoc's own: `typedoc.json` names this plugin. */
export function load(app: Application): void {
  // Not at once: once plugins are loaded, TypeDoc reads all options anew.
  app.on(Application.EVENT_BOOTSTRAP_END, () => app.options.setValue('markdownItLoader', adaptMarkdown));
  defineSiteTheme(app);
  addSearchWords(app.renderer);
  addLandmarks(app.renderer);
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context: Context) => {
    namePages(context.project);
    groupByTask(context);
    placeDefaults(context.project);
    insertPictures(context.project);
  });
}
