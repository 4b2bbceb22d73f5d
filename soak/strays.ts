const strays: string[] = [];
let onStray: (() => void) | undefined;

function add(stray: string): void {
  strays.push(stray);
  onStray?.();
}

/**
 * Begins to collect what nobody asked for: rejections that nobody handles, Node's warnings (too many listeners among
 * them), and what is logged. What is thrown uncaught ends the process, and so fails its part.
 */
export function watchStrays(): void {
  process.on('unhandledRejection', (reason) => add(`unhandled rejection: ${String(reason)}`));
  process.on('warning', ({ name, message }) => add(`${name}: ${message}`));
  for (const method of ['warn', 'error'] as const) {
    console[method] = (...what: unknown[]) => add(`console.${method}: ${what.map(String).join(' ')}`);
  }
}

/** What has been collected, and forgets it. */
export function takeStrays(): string[] {
  return strays.splice(0);
}

/** Waits for the next one and takes it. Answers with nothing where none comes in time. */
export async function untilStray(patienceMs: number): Promise<string> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, patienceMs);
    onStray = () => {
      clearTimeout(timer);
      resolve();
    };
    if (strays.length > 0) onStray();
  });
  onStray = undefined;
  return strays.shift() ?? '';
}
