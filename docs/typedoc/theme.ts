import { DefaultTheme, type Application, type NavigationElement, type ProjectReflection } from 'typedoc';

/** The sections of the sidebar, by the title of the first page of each. Their order is that of typedoc.json. */
const sections: Readonly<Record<string, string>> = {
  'Getting started': 'Guides',
  Events: 'Reference',
  Troubleshooting: 'Help',
  Security: 'Project',
  'rx-lambda-stream': 'API',
};

/** TypeDoc's own theme, with a sidebar that has headings. */
class SiteTheme extends DefaultTheme {
  override buildNavigation(project: ProjectReflection): NavigationElement[] {
    const missing = new Set(Object.keys(sections));
    const navigation = super.buildNavigation(project).flatMap((element): NavigationElement[] => {
      const heading = sections[element.text];
      if (heading === undefined) return [unfolded(element)];
      missing.delete(element.text);
      // An element without a path is plain text.
      return [{ text: heading }, unfolded(element)];
    });
    if (missing.size > 0)
      throw new Error(`The sidebar lacks the pages that begin a section: ${[...missing].join(', ')}`);
    return navigation;
  }
}

/**
 * Moves the link of an entry point from the line that unfolds its contents to the first line of those. A link within
 * that line is one control within another, which screen readers cannot reach.
 */
function unfolded(element: NavigationElement): NavigationElement {
  const { children, path, kind, ...rest } = element;
  if (children === undefined || path === undefined) return element;
  return { ...rest, children: [{ text: 'Overview', path, ...(kind && { kind }) }, ...children] };
}

/** Defines the theme that `typedoc.json` names. */
export function defineSiteTheme({ renderer }: Application): void {
  renderer.defineTheme('site', SiteTheme);
}
