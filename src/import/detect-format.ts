/** The format of a file to import, detected from its first bytes. */
export type ImportFormat = 'beads' | 'grite' | 'unknown'

/** Bytes that detection needs; fewer are fine for a shorter file. */
export const detectionBytes = 64 * 1024

/**
 * Tells a beads tracker (JSONL, one issue per line) from a JSON export. An export begins with one of its own keys, or
 * is a single line; a beads file may begin with a malformed line. A tracker without issues is an empty file.
 */
export function detectImportFormat(firstBytes: Uint8Array): ImportFormat {
  const text = new TextDecoder().decode(firstBytes.subarray(0, detectionBytes)).trimStart()
  if (/^\{\s*"(?:meta|issues|events|attachments)"\s*:\s*[[{]/.test(text)) return 'grite'
  if (text === '') return 'beads'
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.some((line) => /^\s*\{.*"(?:id|title|issue_type|created_at|_schema|_type)"\s*:/.test(line))
    ? 'beads'
    : 'unknown'
}
