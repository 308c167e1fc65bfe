/** The beginning of a text on one line, cut to a number of characters. */
export function beginningOf(text: string, lengthMax: number): string {
  const line = [...text.trim().replaceAll(/\s+/g, ' ')]
  return line.length > lengthMax ? `${line.slice(0, lengthMax - 1).join('')}…` : line.join('')
}
