const strays: string[] = [];

/**
 * Begins to collect what nobody asked for: rejections that nobody handles, Node's warnings (too many listeners among
 * them), and what is logged. What is thrown uncaught ends the process, and so fails its part.
 */
export function watchStrays(): void {
  process.on('unhandledRejection', (reason) => strays.push(`unhandled rejection: ${String(reason)}`));
  process.on('warning', ({ name, message }) => strays.push(`${name}: ${message}`));
  for (const method of ['warn', 'error'] as const) {
    console[method] = (...what: unknown[]) => strays.push(`console.${method}: ${what.map(String).join(' ')}`);
  }
}

/** Returns what was collected so far, and forgets it. */
export function takeStrays(): string[] {
  return strays.splice(0);
}
