/** Shows three significant digits: 452,000 and 5.13 and 0.26. */
export function showFigure(figure: number): string {
  return Number(figure.toPrecision(3)).toLocaleString('en', { maximumSignificantDigits: 3 });
}
