import { drawDiagram } from './draw-diagram.js';
import { differences, readDiagrams } from './marble-diagram.js';
import { pictureFile } from './picture-file.js';

/**
 * Draws all diagrams of the public functions: SVGs by file name.
 *
 * @throws where a docstring's diagram is not what its first test runs: that picture would be wrong.
 */
export function drawPictures(root: string): Map<string, string> {
  return new Map(
    readDiagrams(root).map((diagram) => {
      const wrong = differences(diagram);
      if (wrong.length > 0) throw new Error(`${diagram.name}: docstring and first test differ\n${wrong.join('\n')}`);
      return [pictureFile(diagram.name), drawDiagram(diagram)];
    }),
  );
}
