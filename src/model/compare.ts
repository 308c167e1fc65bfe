/** Compares bytes as unsigned numbers, shorter first on a common prefix. Negative, zero or positive. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const difference = (left[index] as number) - (right[index] as number)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/**
 * Compares text in the order of its UTF-8 bytes, which is code-point order. JavaScript's own order compares UTF-16
 * units and differs beyond U+FFFF: surrogates (D800-DFFF) would sort before U+E000-U+FFFF.
 */
export function compareText(left: string, right: string): number {
  if (left === right) return 0
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index)
    const b = right.charCodeAt(index)
    if (a !== b) return rankUnit(a) - rankUnit(b)
  }
  return left.length - right.length
}

/** Moves surrogates above the rest of the basic plane, where their code points belong. */
function rankUnit(unit: number): number {
  if (unit < 0xd800) return unit
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000
}
