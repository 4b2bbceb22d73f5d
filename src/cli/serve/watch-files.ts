import { watch, type FSWatcher } from 'node:fs';
import { dirname, join } from 'node:path';

/** How long changes are gathered, because editors write a file in several steps. */
const settleMs = 50;
const source = /\.([cm]?[jt]sx?|json)$/;

/** Hears of changes. */
export interface ChangeObserver {
  readonly onChange: () => void;
  /** Called where a folder cannot be watched, such as at the system's limit. */
  readonly onFailure: (folder: string, error: Error) => void;
}

/** Watches files for changes. */
export class FileWatch {
  readonly #observer: ChangeObserver;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #handlerFolders: ReadonlySet<string>;
  #files: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;

  /** @param handlerFiles - In their folders every source file counts, because a missing import may appear there. */
  constructor(handlerFiles: readonly string[], observer: ChangeObserver) {
    this.#observer = observer;
    this.#handlerFolders = new Set(handlerFiles.map((file) => dirname(file)));
  }

  /** Watches these files, and stops watching the folders of those that are not among them any more. */
  watch(files: readonly string[]): void {
    this.#files = new Set(files);
    // Folders are watched instead of files, because many editors replace a file, and the watch would keep the old one.
    const folders = new Set([...this.#handlerFolders, ...files.map((file) => dirname(file))]);
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#watchFolder(folder);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, (_event, name) => {
        if (name === null || !this.#counts(folder, name)) return;
        clearTimeout(this.#timer);
        this.#timer = setTimeout(this.#observer.onChange, settleMs);
      });
      watcher.on('error', (error) => {
        watcher.close();
        this.#watchers.delete(folder);
        this.#observer.onFailure(folder, error);
      });
      this.#watchers.set(folder, watcher);
    } catch (error) {
      this.#observer.onFailure(folder, error as Error);
    }
  }

  #counts(folder: string, name: string): boolean {
    return this.#files.has(join(folder, name)) || (this.#handlerFolders.has(folder) && source.test(name));
  }
}
