import { Application, Converter, type Context } from 'typedoc';
import { showCodeInHeadings } from './heading-code.js';
import { insertPictures } from './marble-pictures.js';
import { namePages } from './page-names.js';

/** What the site has beyond TypeDoc's own: `typedoc.json` names this plugin. */
export function load(app: Application): void {
  // Not at once: once plugins are loaded, TypeDoc reads all options anew.
  app.on(Application.EVENT_BOOTSTRAP_END, () => app.options.setValue('markdownItLoader', showCodeInHeadings));
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }: Context) => {
    namePages(project);
    insertPictures(project);
  });
}
