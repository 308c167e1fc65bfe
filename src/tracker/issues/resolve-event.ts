import { type EventId, IdParseError, InvalidArgsError, limits, NotFoundError } from '../../model/index.ts'
import type { View } from '../../view/index.ts'

/** Maximum number of candidates listed for an ambiguous prefix. */
const candidatesMax = 10

/**
 * Resolves an event by id, or by a unique prefix of at least seven characters.
 * @throws {IdParseError} on text that is not hexadecimal
 * @throws {InvalidArgsError} on a prefix that is too short or ambiguous, with the candidates
 * @throws {NotFoundError} when the log has no such event
 */
export async function resolveEvent(view: View, typed: string): Promise<EventId> {
  const prefix = typed.trim().toLowerCase()
  const field = 'event id'
  const hints = ['`grite issue history <issue>` lists the events of an issue']
  if (!/^[0-9a-f]+$/.test(prefix)) {
    throw new IdParseError(`'${typed}' is not an event id: ids are hexadecimal`, {
      details: { field, value: typed },
      hints,
    })
  }
  if (prefix.length < limits.eventIdPrefixMin) {
    throw new InvalidArgsError(
      `event id '${typed}' is too short: at least ${limits.eventIdPrefixMin} characters are needed`,
      { details: { field, value: typed, length_min: limits.eventIdPrefixMin }, hints },
    )
  }
  const ids = prefix.length > 64 ? [] : await view.findEventIdsByPrefix(prefix, candidatesMax + 1)
  if (ids.length === 1) return ids[0] as EventId
  if (ids.length === 0) {
    throw new NotFoundError(`no event has the id '${typed}'`, { details: { field, value: typed }, hints })
  }
  const shown = ids.slice(0, candidatesMax)
  throw new InvalidArgsError(`event id '${typed}' is ambiguous; it could be:\n  ${shown.join('\n  ')}`, {
    details: { field, value: typed, candidates: shown },
    hints: ['Type more characters of the id'],
  })
}
