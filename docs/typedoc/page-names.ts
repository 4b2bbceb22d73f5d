import { ReflectionKind, type ProjectReflection } from 'typedoc';

/** Names entry points as they are imported, and documents by their title. */
export function namePages(project: ProjectReflection): void {
  for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
    module.name = module.name === 'index' ? project.name : `${project.name}/${module.name}`;
  }
  for (const document of project.getReflectionsByKind(ReflectionKind.Document)) {
    if (!document.isDocument()) continue;
    const [, title] = /^# (.+)/.exec(document.content[0]?.text ?? '') ?? [];
    if (title === undefined) throw new Error(`${document.name} does not begin with a title`);
    document.name = title.replaceAll('`', '');
  }
}
