/** Throws where a limit is none: at the operator's call, not at the subscription. What is undefined has its default. */
export function checkLimits(limits: Readonly<Record<string, number | undefined>>): void {
  for (const [name, limit = 1] of Object.entries(limits)) {
    if (!(limit >= 1)) throw new RangeError(`${name} must be at least 1, not ${limit}`);
  }
}
