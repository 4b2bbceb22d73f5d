/** Whether a keyboard and a mouse are likely: there the prompt may take the focus, and Enter may send. */
export function hasKeyboard(): boolean {
  return matchMedia('(hover: hover) and (pointer: fine)').matches;
}
