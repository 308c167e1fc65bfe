/**
 * The section of a file that grite manages: the lines between two markers. The rest of the file belongs to the user and is
 * preserved byte for byte, so strings here hold one byte per character (Latin-1).
 */

export const beginMarker = '<!-- grite:begin -->'
export const endMarker = '<!-- grite:end -->'
/** The heading by which the Rust tool recognizes that a file already has its section. */
export const sectionHeading = '## Grite'

export type SectionPlan =
  | { readonly action: 'created' | 'updated'; readonly bytes: Uint8Array }
  /** `skipped`: the file already has such a section without our markers, which we must not change. */
  | { readonly action: 'unchanged' | 'skipped' }
  /** The boundaries of the section are ambiguous. */
  | { readonly action: 'refused'; readonly reason: string }

/**
 * Plans the new content of a file that is to hold the section.
 *
 * @param bytes - the present file; null when there is none
 * @param section - lines between the markers, with `\n` at the end of each
 */
export function planSection(bytes: Uint8Array | null, section: string): SectionPlan {
  const marked = `${beginMarker}\n${section}${endMarker}`
  if (bytes === null) return { action: 'created', bytes: Buffer.from(`${marked}\n`, 'utf8') }
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  if (file.includes('\0')) return { action: 'refused', reason: 'it is not a text file' }
  // A file that ends with a lone carriage return: our line end after it would become CRLF.
  const lineEnd = /\r?\n/.exec(file)?.[0] ?? (file.endsWith('\r') ? '\r\n' : '\n')
  const wanted = Buffer.from(marked.replaceAll('\n', lineEnd), 'utf8').toString('latin1')
  const [begins, ends] = [linesOf(file, beginMarker), linesOf(file, endMarker)]
  if (begins.length === 0 && ends.length === 0) {
    if (file.includes(sectionHeading)) return { action: 'skipped' }
    return changed(file, append(file, wanted, lineEnd))
  }
  const [begin] = begins
  const [end] = ends
  if (begins.length > 1 || ends.length > 1) return { action: 'refused', reason: 'it has a marker more than once' }
  if (begin === undefined || end === undefined) {
    return { action: 'refused', reason: `it has '${begin === undefined ? endMarker : beginMarker}' without the other` }
  }
  if (end.start < begin.end) return { action: 'refused', reason: 'its markers are in the wrong order' }
  return changed(file, file.slice(0, begin.start) + wanted + file.slice(end.end))
}

function changed(before: string, after: string): SectionPlan {
  return before === after ? { action: 'unchanged' } : { action: 'updated', bytes: Buffer.from(after, 'latin1') }
}

/** Appends after an empty line; a file without a final line end still has none afterwards. */
function append(file: string, section: string, lineEnd: string): string {
  if (/^(\r?\n)*$/.test(file)) return file + section + lineEnd
  const endsLine = file.endsWith('\n')
  const gap = endsLine ? (/\n\r?\n$/.test(file) ? '' : lineEnd) : lineEnd + lineEnd
  return file + gap + section + (endsLine ? lineEnd : '')
}

/** Ranges where a marker is alone on its line; `end` is exclusive. */
function linesOf(file: string, marker: string): { readonly start: number; readonly end: number }[] {
  const pattern = new RegExp(`(?<=^|\\n)[ \\t]*${marker}(?=[ \\t]*\\r?(\\n|$))`, 'g')
  return [...file.matchAll(pattern)].map((match) => {
    const start = match.index + match[0].length - marker.length
    return { start, end: start + marker.length }
  })
}
