/** The file of a function's picture: `decode-text.svg` for `decodeText`. */
export function pictureFile(name: string): string {
  return `${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.svg`;
}
