import { watch } from 'node:fs';
import { dirname } from 'node:path';

/** Editors write a file in several steps. */
const settleMs = 50;
const source = /\.([cm]?[jt]sx?|json)$/;

/** Calls back after source files beside the given ones have changed. Answers with the function that ends it. */
export function watchFolders(files: readonly string[], onChange: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  // Folders rather than files: many editors replace a file, and the watch would stay with the old one.
  const watchers = [...new Set(files.map((file) => dirname(file)))].map((folder) =>
    watch(folder, (_event, name) => {
      if (name === null || !source.test(name)) return;
      clearTimeout(timer);
      timer = setTimeout(onChange, settleMs);
    }),
  );
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}
