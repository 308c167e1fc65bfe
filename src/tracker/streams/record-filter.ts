/** Selects records by key and headers. */
import { InvalidArgsError } from '../../model/index.ts'
import { type StreamRecord, sameBytes } from '../../model/streams/index.ts'

export type RecordFilter = (record: StreamRecord) => boolean

/**
 * @param where - terms `name=value`; all must hold
 * @returns undefined when every record is wanted
 * @throws {InvalidArgsError} naming the term
 */
export function compileFilter(key: string | undefined, where: readonly string[]): RecordFilter | undefined {
  const tests: RecordFilter[] = []
  if (key !== undefined) {
    const wanted = Buffer.from(key)
    tests.push((record) => record.key !== null && sameBytes(record.key, wanted))
  }
  for (const term of where) {
    const [name, value] = parsePair('where', term)
    const bytes = Buffer.from(value)
    tests.push(({ headers }) =>
      headers.some(
        ([each, found]) => each === name && (typeof found === 'string' ? found === value : sameBytes(found, bytes)),
      ),
    )
  }
  if (tests.length === 0) return undefined
  return (record) => tests.every((test) => test(record))
}

/** Parses `name=value`; the value may be empty. @throws {InvalidArgsError} naming the option */
export function parsePair(option: string, text: string): readonly [name: string, value: string] {
  const at = text.indexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new InvalidArgsError(`--${option} must be <name>=<value>, got '${text}'`, {
    details: { field: option, value: text, allowed: '<name>=<value>' },
  })
}
