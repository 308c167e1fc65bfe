/** The streams that a clone follows: ids, or patterns in which `*` stands for any characters. */
import { InvalidArgsError } from '../../model/index.ts'
import { isStreamId, type StreamId } from '../../model/streams/index.ts'
import type { FetchSelection } from '../../wal/streams/index.ts'

const patternsMax = 1000

/** The list with one more pattern. @throws {InvalidArgsError} */
export function withPattern(list: readonly string[], pattern: string): readonly string[] {
  const isId = isStreamId(pattern)
  if (!isId) {
    throw new InvalidArgsError(`'${pattern}' is neither an id of a stream nor a pattern with *`, {
      details: { field: 'stream', value: pattern },
    })
  }
  if (list.includes(pattern)) return list
  if (list.length >= patternsMax) {
    throw new InvalidArgsError(`this clone follows ${list.length} patterns already, the most that it can`, {
      details: { field: 'stream', value: pattern, max: patternsMax },
    })
  }
  return [...list, pattern].sort()
}

/** What to fetch for some ids and patterns: one by one, unless a pattern needs all ids of the remote. */
export function selectionOf(patterns: readonly string[]): FetchSelection {
  const tests = patterns.map(testOf)
  const ids = patterns.every((pattern) => !pattern.includes('*')) ? (patterns as readonly StreamId[]) : null
  return { ids, isWanted: (streamId) => tests.some((test) => test(streamId)) }
}

function testOf(pattern: string): (id: string) => boolean {
  if (!pattern.includes('*')) return (id) => id === pattern
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop() ?? ''
  return (id) => {
    if (!id.startsWith(first) || !id.endsWith(last) || id.length < first.length + last.length) return false
    // Each part at its first place: then as much as possible is left for the parts after it.
    let at = first.length
    const end = id.length - last.length
    for (const part of rest) {
      const found = id.indexOf(part, at)
      if (found === -1 || found + part.length > end) return false
      at = found + part.length
    }
    return true
  }
}
