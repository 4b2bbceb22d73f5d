/** The workflow that publishes the site. */
import { expect, it } from 'vitest';
import { read } from './markdown-page.js';

const workflow = read('.github/workflows/docs.yml');

it('installs from the lock, runs scripts that the package has, and uploads the folder that TypeDoc writes', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const { out } = JSON.parse(read('typedoc.json')) as { out: string };
  const commands = [...workflow.matchAll(/^ +- run: (.*)$/gm)].map(([, command]) => command);
  expect(commands).toEqual(['npm ci', 'npm run docs']);
  expect(scripts['docs']).toContain('typedoc');
  expect(workflow).toMatch(new RegExp(`uses: actions/upload-pages-artifact@v\\d+\\n +with:\\n +path: ${out}\\n`));
});

it('publishes what the first job has built, with no more permissions than that needs', () => {
  const [build = '', publish = ''] = workflow.split(/^ {2}publish:$/m);
  expect(publish).toMatch(/^ {4}needs: build$/m);
  expect(publish).toMatch(/^ {4}permissions:\n {6}pages: write\n {6}id-token: write$/m);
  expect(publish).toMatch(/uses: actions\/deploy-pages@v\d+$/m);
  expect(build).toMatch(/^permissions:\n {2}contents: read$/m);
  expect(build).not.toContain('write');
});
