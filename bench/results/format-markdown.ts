import { format, resolveConfig } from 'prettier';

/** Markdown as the project formats it: the columns of tables in line. */
export async function formatMarkdown(markdown: string): Promise<string> {
  const config = await resolveConfig(import.meta.filename);
  return format(markdown, { ...config, parser: 'markdown' });
}
