import { compareText } from '../model/index.ts'

/** Formats parsed JSON canonically: keys in UTF-8 byte order, no spaces. */
export function formatCanonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatCanonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value)
    .sort(([left], [right]) => compareText(left, right))
    .map(([key, member]) => `${JSON.stringify(key)}:${formatCanonicalJson(member)}`)
  return `{${members.join(',')}}`
}
