const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

export type Paint = (style: keyof typeof codes, text: string) => string;

/** Colours for a stream: on a terminal only, and never where `NO_COLOR` is set. */
export function paintFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Paint {
  const isOn = stream.isTTY === true && (env['NO_COLOR'] ?? '') === '';
  return (style, text) => (isOn ? `\u001b[${codes[style]}m${text}\u001b[0m` : text);
}
